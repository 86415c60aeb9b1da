"""The table of roles."""

from bse_shared.access.roles import ANONYMOUS_ROLE, GRANTABLE, ROLES, Scope, granted


def test_roles_only_grow_from_viewer_to_admin():
    """Who has more may do all that who has less may."""
    assert ROLES["viewer"].scopes <= ROLES["trader"].scopes
    assert ROLES["viewer"].scopes <= ROLES["operator"].scopes <= ROLES["admin"].scopes
    assert frozenset(Scope) == ROLES["admin"].scopes


def test_only_an_admin_touches_keys():
    """One role, one key to the house."""
    assert ["admin"] == [r for r in ROLES if Scope.KEYS_ADMIN in ROLES[r].scopes]


def test_nobody_is_given_the_role_of_nobody():
    """`anonymous` has a viewer's rights and is not for keys."""
    assert ANONYMOUS_ROLE not in GRANTABLE
    assert ROLES["viewer"] == ROLES[ANONYMOUS_ROLE]


def test_what_a_role_lacks_is_not_granted():
    """Whatever a key's record says."""
    wanted = frozenset({"quotes:read", "keys:admin", "made:up"})
    assert {"quotes:read"} == granted("trader", wanted)
    assert {"quotes:read", "keys:admin"} == granted("admin", wanted)


def test_every_limit_is_one():
    """Nothing is without bound, and nothing is shut by a zero."""
    for role in ROLES.values():
        assert all(limit > 0 for limit in role.limits[:4])

"""Who is asking, once it is proved: the same whether by token, API key or ticket."""

import msgspec

from bse_shared.access.roles import ANONYMOUS_ROLE, ROLES, Limits


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A proved identity. Limits and revocations go by `sub`."""

    sub: str
    role: str
    scopes: frozenset[str]
    jti: str = ""
    """The token's own id; empty for an API key."""
    session_id: str = ""
    """The refresh-token family that the token came from, where it came from one."""
    issued_at_ms: int = 0
    """When it was issued; for an API key, when the key was last looked up."""
    expires_at_ms: int | None = None
    """From when on it proves nothing; None: never by itself."""
    key_id: str = ""
    """The key that proves it: a token's `kid`, an API key's id."""

    @property
    def limits(self) -> Limits:
        """How much this principal may use."""
        return ROLES[self.role].limits

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody in particular is asking."""
        return self.role == ANONYMOUS_ROLE

    def may(self, scope: str) -> bool:
        """Whether the scope was granted."""
        return scope in self.scopes


ANONYMOUS = Principal(
    sub=ANONYMOUS_ROLE, role=ANONYMOUS_ROLE, scopes=ROLES[ANONYMOUS_ROLE].scopes
)

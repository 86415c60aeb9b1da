"""Roles as data: what each may do, and how much of it. Code and tests read this one table."""

from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """A permission, as it stands in a token's `scope`."""

    QUOTES_READ = "quotes:read"
    STREAM_READ = "stream:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    FEED_CONTROL = "feed:control"
    HUB_CONTROL = "hub:control"
    KEYS_ADMIN = "keys:admin"
    AUDIT_READ = "audit:read"


class Limits(NamedTuple):
    """How much one principal may use: in one subscription, at once, each second, each minute."""

    symbols: int
    connections: int
    commands_per_s: int
    requests_per_minute: int
    may_subscribe_all: bool = False


class Role(NamedTuple):
    """What a role may do at most; a key or a token may carry less."""

    scopes: frozenset[str]
    limits: Limits


_READER = frozenset({Scope.QUOTES_READ, Scope.STREAM_READ, Scope.SUBSCRIPTIONS_WRITE})
_VIEWER = Limits(
    symbols=1_000, connections=10, commands_per_s=20, requests_per_minute=3_000
)
_STAFF = Limits(
    symbols=3_000, connections=20, commands_per_s=50, requests_per_minute=12_000
)

ANONYMOUS_ROLE = "anonymous"
ROLES = {
    ANONYMOUS_ROLE: Role(_READER, _VIEWER),
    "viewer": Role(_READER, _VIEWER),
    "trader": Role(_READER, _STAFF),
    "service": Role(
        _READER,
        Limits(
            symbols=10_000,
            connections=1_000,
            commands_per_s=200,
            requests_per_minute=600_000,
            may_subscribe_all=True,
        ),
    ),
    "operator": Role(
        _READER | {Scope.FEED_CONTROL, Scope.HUB_CONTROL, Scope.AUDIT_READ},
        _STAFF._replace(may_subscribe_all=True),
    ),
    "admin": Role(frozenset(Scope), _STAFF._replace(may_subscribe_all=True)),
}
"""By name. `anonymous` is nobody's: no key and no token may carry it."""

GRANTABLE = tuple(name for name in ROLES if name != ANONYMOUS_ROLE)


def granted(role: str, wanted: frozenset[str]) -> frozenset[str]:
    """What of the wanted scopes the role may have today, whatever was written down earlier."""
    return wanted & ROLES[role].scopes

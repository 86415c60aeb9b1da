"""Which scope each route asks for: the one table of it, for code, contract and tests. Pure.

A route that is not listed does not start.
"""

from typing import NamedTuple

from bse_shared.access.roles import Scope


class Requirement(NamedTuple):
    """What a route asks for. No scope: open to all, within a budget for each address."""

    scope: Scope | None
    is_admin: bool = False
    """Only from the addresses listed for administration, never by nobody in particular."""


_OPEN = Requirement(None)
_QUOTES = Requirement(Scope.QUOTES_READ)
_FEED = Requirement(Scope.FEED_CONTROL, is_admin=True)
_HUBS = Requirement(Scope.HUB_CONTROL, is_admin=True)
_KEYS = Requirement(Scope.KEYS_ADMIN, is_admin=True)

POLICY: dict[tuple[str, str], Requirement] = {
    ("GET", "/api/stock/{symbol}"): _QUOTES,
    ("GET", "/api/stocks/batch"): _QUOTES,
    ("GET", "/api/stock/{symbol}/depth"): _QUOTES,
    ("GET", "/api/stock/{symbol}/candles"): _QUOTES,
    ("GET", "/api/market/status"): _QUOTES,
    ("GET", "/api/market/movers"): _QUOTES,
    ("GET", "/api/market/52-week"): _QUOTES,
    ("GET", "/api/market/circuits"): _QUOTES,
    ("GET", "/api/market/breadth"): _QUOTES,
    ("GET", "/api/market/days"): _QUOTES,
    ("GET", "/api/market/holidays"): _QUOTES,
    ("GET", "/api/indices"): _QUOTES,
    ("GET", "/api/indices/{name}/quotes"): _QUOTES,
    ("GET", "/api/instruments"): _QUOTES,
    ("GET", "/api/instruments/{symbol}"): _QUOTES,
    ("GET", "/api/search"): _QUOTES,
    ("GET", "/udf/config"): _QUOTES,
    ("GET", "/udf/time"): _QUOTES,
    ("GET", "/udf/symbols"): _QUOTES,
    ("GET", "/udf/search"): _QUOTES,
    ("GET", "/udf/quotes"): _QUOTES,
    ("GET", "/udf/history"): _QUOTES,
    ("POST", "/api/subscribe"): Requirement(Scope.SUBSCRIPTIONS_WRITE),
    ("POST", "/api/auth/token"): _OPEN,
    ("POST", "/api/auth/refresh"): _OPEN,
    ("POST", "/api/auth/revoke"): _OPEN,
    ("GET", "/.well-known/jwks.json"): _OPEN,
    ("GET", "/admin/api-keys"): _KEYS,
    ("POST", "/admin/api-keys"): _KEYS,
    ("POST", "/admin/api-keys/{key_id}/rotate"): _KEYS,
    ("POST", "/admin/api-keys/{key_id}/revoke"): _KEYS,
    ("GET", "/admin/feed"): _FEED,
    ("POST", "/admin/feed/orders"): _FEED,
    ("GET", "/admin/hubs"): _HUBS,
    ("POST", "/admin/hubs/orders"): _HUBS,
    ("GET", "/admin/audit"): Requirement(Scope.AUDIT_READ, is_admin=True),
}


def methods_of(path: str) -> list[str]:
    """The methods of a path; FastAPI has a route for each, and knows only the first for `Allow`."""
    return sorted(method for method, listed in POLICY if listed == path)

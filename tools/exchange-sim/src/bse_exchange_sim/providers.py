"""Other providers of the same market, under their own paths: Yahoo and a broker. Their doors have their own rules."""

from collections.abc import Callable, Mapping

import msgspec

from bse_exchange_sim.answers import kite, yahoo
from bse_exchange_sim.exchange import Market


YAHOO_QUOTES = "/v7/finance/quote"
YAHOO_CHART = "/v8/finance/chart/"
YAHOO_CRUMB = "/v1/test/getcrumb"
YAHOO_COOKIE = "/yahoo-cookie/"
KITE_QUOTES = "/quote"

UNAUTHORIZED = 401
FORBIDDEN = 403

Headers = Mapping[str, str]
Query = Mapping[str, str]

_QUOTES: dict[str, tuple[str, Callable[[Market, Query], bytes]]] = {
    YAHOO_QUOTES: ("yahoo quotes", yahoo.quotes),
    KITE_QUOTES: ("kite quotes", kite.quotes),
}


def name(path: str) -> str:
    """Return what a path is called in the counts; nothing if it is no provider's."""
    if path in _QUOTES:
        return _QUOTES[path][0]
    if path.startswith(YAHOO_CHART):
        return "yahoo chart"
    return "yahoo crumb" if path in {YAHOO_CRUMB, YAHOO_COOKIE} else ""


def refusal(path: str, headers: Headers, query: Query) -> tuple[int, bytes] | None:
    """Return status and body where the caller does not show what the provider wants to see."""
    if path == YAHOO_QUOTES and query.get("crumb") != yahoo.CRUMB:
        error = {"code": "Unauthorized", "description": "Invalid Crumb"}
        body = {"finance": {"result": None, "error": error}}
        return UNAUTHORIZED, msgspec.json.encode(body)
    if path == KITE_QUOTES:
        scheme, _, pair = headers.get("authorization", "").partition(" ")
        key, colon, token = pair.partition(":")
        if scheme != "token" or not (key and colon and token):
            wrong = {
                "status": "error",
                "message": "Incorrect `api_key` or `access_token`.",
            }
            return FORBIDDEN, msgspec.json.encode(wrong)
    return None


def answer(market: Market, path: str, query: Query) -> bytes:
    """Return the body for one of the paths above."""
    if path in _QUOTES:
        return _QUOTES[path][1](market, query)
    if path.startswith(YAHOO_CHART):
        return yahoo.chart(market, path.removeprefix(YAHOO_CHART))
    return yahoo.CRUMB.encode()

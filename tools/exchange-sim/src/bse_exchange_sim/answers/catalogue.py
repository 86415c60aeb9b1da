"""Which path is answered by which builder; anything else is the site's HTML shell."""

from collections.abc import Callable, Mapping

from bse_exchange_sim.answers.depth import market_depth
from bse_exchange_sim.answers.graph import stock_graph
from bse_exchange_sim.answers.market_list import MarketList
from bse_exchange_sim.answers.master import list_of_scrips, smart_search
from bse_exchange_sim.answers.quote_header import quote_header
from bse_exchange_sim.answers.sensex import index_rows, sensex_row
from bse_exchange_sim.answers.trading import high_low, stock_trading
from bse_exchange_sim.exchange import Market


WEB_BASE = "bseindiaapi/api"
REAL_TIME_BASE = "realtimebseindiaapi/api"
OTHER = "other"
_PARTS = 4
_CODE_DIGITS = 9

Query = Mapping[str, str]
Builder = Callable[[Market, Query], bytes]


def _per_scrip(build: Callable[[Market, int], bytes]) -> Builder:
    return lambda market, query: build(market, scrip_code(query))


def scrip_code(query: Query) -> int:
    """Read the scrip code of a query; 0, which nobody has, if it is not a number."""
    text = query.get("scripcode", "").strip()
    plain = text.isascii() and text.isdigit() and len(text) <= _CODE_DIGITS
    return int(text) if plain else 0


class Catalogue:
    """Finds and runs the builder for a path."""

    def __init__(self) -> None:
        """List all endpoints by base and lower-case name."""
        depth = _per_scrip(market_depth)
        self._builders: dict[tuple[str, str], tuple[str, Builder]] = {}
        self._add(WEB_BASE, "GetMktData", MarketList().encode)
        self._add(WEB_BASE, "getScripHeaderData", _per_scrip(quote_header))
        self._add(WEB_BASE, "StockTrading", _per_scrip(stock_trading))
        self._add(WEB_BASE, "HighLow", _per_scrip(high_low))
        self._add(WEB_BASE, "StockReachGraph", _per_scrip(stock_graph))
        self._add(WEB_BASE, "ListofScripData", list_of_scrips)
        self._add(WEB_BASE, "PeerSmartSearch", _search)
        self._add(WEB_BASE, "MarketDepth", depth)
        self._add(REAL_TIME_BASE, "MarketDepth", depth)
        self._add(
            REAL_TIME_BASE, "GetSensexDatanew", lambda market, _: sensex_row(market)
        )
        self._add(REAL_TIME_BASE, "GetSensexData", lambda market, _: index_rows(market))

    def _add(self, base: str, name: str, builder: Builder) -> None:
        self._builders[(base, name.lower())] = (name, builder)

    def name(self, path: str) -> str:
        """Return the endpoint's name as the exchange writes it, or `other`."""
        found = self._builders.get(_key(path))
        return found[0] if found else OTHER

    def answer(self, market: Market, path: str, query: Query) -> bytes | None:
        """Return the JSON for a path (query keys in lower case), None if unknown."""
        found = self._builders.get(_key(path))
        return found[1](market, query) if found else None


def _key(path: str) -> tuple[str, str]:
    """Split `/Base/api/Name/w` (the server ignores case)."""
    parts = path.lower().strip("/").split("/")
    if len(parts) != _PARTS or parts[-1] != "w":
        return "", ""
    return "/".join(parts[:2]), parts[2]


def _search(market: Market, query: Query) -> bytes:
    return smart_search(market, query.get("text", ""))

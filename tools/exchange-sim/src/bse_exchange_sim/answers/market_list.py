"""`GetMktData`: the whole market, an index or a group in one answer.

Prices are JSON numbers; `trd_val` is in lakh rupees with two decimals, so turnover is
rounded to the nearest Rs 1,000. `dt_tm` is the scrip's last trade. Rows are kept as
bytes until the scrip's next update; `RN` is the row's place and is put in front.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from bse_exchange_sim.answers.numbers import (
    HUNDRED,
    PAISE_PER_LAKH,
    json_number,
    percent,
    rounded,
)
from bse_exchange_sim.answers.stamps import iso_seconds, last_trade_time
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.paths.trade_state import TradeState
from bse_exchange_sim.universe.indices import canonical_index
from bse_exchange_sim.universe.scrip import Scrip


_SITE = "https://www.bseindia.com"
_EVERYTHING = "all"
_MAX_STAMPS = 50_000

Wanted = Callable[[Scrip, TradeState], bool]


class FixedParts(msgspec.Struct, frozen=True, gc=False):
    """The parts of a scrip's row that never change, as JSON text."""

    head: str
    indices: str
    tail: str


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()


def _fixed_parts(scrip: Scrip) -> FixedParts:
    page = _text(_SITE + scrip.page)
    names = f'"scripname":{_text(scrip.symbol)},"LONG_NAME":{_text(scrip.name)}'
    indices = ",".join(f"|{name}|" for name in scrip.indices)
    return FixedParts(
        f'"scrip_cd":{scrip.code},{names},"scrip_grp":{_text(scrip.group)}',
        f'"index_code":{_text(indices)}',
        f'"PRIORITY_FLAG":0,"URL":{page},"NSUrl":{page}}}',
    )


def _row(fixed: FixedParts, state: TradeState, stamp: str) -> bytes:
    """Write one row, from behind its `RN` on."""
    change, previous = state.change_paise, state.previous_close_paise
    lakh = rounded(state.turnover_paise * HUNDRED, PAISE_PER_LAKH)
    return (
        f'{fixed.head},"openrate":{json_number(state.open_paise)},'
        f'"highrate":{json_number(state.high_paise)},'
        f'"lowrate":{json_number(state.low_paise)},'
        f'"ltradert":{json_number(state.last_paise)},'
        f'"prevdayclose":{json_number(previous)},'
        f'"change_val":{json_number(change)},'
        f'"change_percent":{json_number(percent(change, previous))},'
        f'{fixed.indices},"trd_val":{json_number(lakh)},"trd_vol":{state.volume},'
        f'"nooftrd":{state.trades},"trend":"","dt_tm":"{stamp}",{fixed.tail}'
    ).encode()


def chosen(kind: str, value: str) -> Wanted:
    """Return which scrips a `strType` and `strfilter` ask for."""
    kind, wanted = kind.lower(), value.strip()
    everything = wanted.lower() in {_EVERYTHING, ""}
    if kind in {"gainer", "loser"}:
        return lambda _, state: state.updates > 0
    if kind == "allmkt":
        return lambda scrip, _: everything or scrip.group == wanted
    if kind == "group":
        return lambda scrip, _: everything or scrip.group == wanted.upper()
    if kind == "index":
        index = canonical_index(wanted)
        return lambda scrip, _: (
            bool(scrip.indices) if everything else index in scrip.indices
        )
    return lambda _scrip, _state: False


def _order(kind: str) -> Callable[[TradeState], int]:
    """Order by turnover, gainers and losers by their change."""
    match kind.lower():
        case "gainer":
            return lambda each: -percent(each.change_paise, each.previous_close_paise)
        case "loser":
            return lambda each: percent(each.change_paise, each.previous_close_paise)
    return lambda each: -each.turnover_paise


class MarketList:
    """Encodes market lists, remembering each scrip's row until it changes."""

    def __init__(self) -> None:
        """Start without rows."""
        self._fixed: list[FixedParts] = []
        self._rows: list[tuple[TradeState, bytes]] = []
        self._fronts: list[bytes] = []
        self._stamps: dict[datetime, str] = {}

    def encode(self, market: Market, query: Mapping[str, str]) -> bytes:
        """Return the answer to one `GetMktData` query."""
        kind = query.get("strtype", "")
        wanted = chosen(kind, query.get("strfilter", ""))
        states = [market.state(index) for index in range(len(market.listings))]
        picked = [
            index
            for index, state in enumerate(states)
            if wanted(market.scrip(index), state)
        ]
        order = _order(kind)
        picked.sort(key=lambda index: order(states[index]))
        self._prepare(market, states)
        rows = (self._known_row(market, index, states[index]) for index in picked)
        return b'{"Table":[%b]}' % b",".join(self._numbered(rows))

    def _prepare(self, market: Market, states: list[TradeState]) -> None:
        if not self._fixed:
            listings = market.listings
            self._fixed = [_fixed_parts(each.scrip) for each in listings]
            self._fronts = [
                b'{"RN":%d,' % place for place in range(1, 1 + len(listings))
            ]
            self._rows = [(state, b"") for state in states]

    def _numbered(self, rows: Iterable[bytes]) -> list[bytes]:
        # The market can hold fewer rows than fronts, never more.
        return [front + row for front, row in zip(self._fronts, rows, strict=False)]

    def _known_row(self, market: Market, index: int, state: TradeState) -> bytes:
        known, row = self._rows[index]
        if known is state and row:
            return row
        row = _row(self._fixed[index], state, self._stamp(market, state))
        self._rows[index] = (state, row)
        return row

    def _stamp(self, market: Market, state: TradeState) -> str:
        """Write the last trade's time; many scrips share a second."""
        when = last_trade_time(market, state)
        stamp = self._stamps.get(when)
        if stamp is None:
            if len(self._stamps) >= _MAX_STAMPS:
                self._stamps.clear()
            stamp = self._stamps[when] = iso_seconds(when)
        return stamp

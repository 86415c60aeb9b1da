"""`MarketDepth`: five levels as flat strings; the body is `null` when closed."""

import msgspec

from bse_exchange_sim.answers.numbers import indian, indian_digits
from bse_exchange_sim.answers.stamps import last_trade_time, pipe_minutes
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.paths.depth import LEVELS, Level, depth_around


_CLOSED = b"null"


def market_depth(market: Market, code: int) -> bytes:
    """Return the book of a scrip code."""
    index = market.codes.get(code)
    if index is None or not market.moment.is_open:
        return _CLOSED
    scrip, state = market.scrip(index), market.state(index)
    book = depth_around(state, code, scrip.tick_paise)
    return msgspec.json.encode(
        {
            **_side("B", book.bids),
            **_side("S", book.asks),
            "TotalBQty": indian_digits(sum(each.quantity for each in book.bids)),
            "TotalSQty": indian_digits(sum(each.quantity for each in book.asks)),
            "dttm": pipe_minutes(last_trade_time(market, state)),
        }
    )


def _side(letter: str, levels: tuple[Level, ...]) -> dict[str, str]:
    """Write one side; a missing level is a dash."""
    fields = {}
    for place in range(LEVELS):
        level = levels[place] if place < len(levels) else None
        number = place + 1
        fields[f"{letter}Price{number}"] = indian(level.price_paise) if level else "-"
        fields[f"{letter}Qty{number}"] = indian_digits(level.quantity) if level else "-"
    return fields

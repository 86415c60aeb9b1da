"""What a tick needs to know of the world."""

from typing import NamedTuple

from bse_shared.quotes.instrument import InstrumentMaster


class Now(NamedTuple):
    """The store's time, who the scrips are, whether the market is open, when the newest frame was published."""

    ms: int
    master: InstrumentMaster
    market_open: bool
    published_at_ms: int = 0

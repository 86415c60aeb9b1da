"""The only place that reads the machine's clocks."""

import time
from datetime import datetime

from bse_exchange_sim.market_clock import IST


def wall_clock() -> datetime:
    """Return the present time in IST."""
    return datetime.now(IST)  # noqa: TID251 - this is the clock the others are given


def monotonic_s() -> float:
    """Return seconds that never go back."""
    return time.monotonic()

"""What the market is doing at one moment: the phases and the answer record.

Instants are epoch milliseconds UTC; Indian time is a fixed +05:30, without
daylight saving, so a day is always 24 hours long.
"""

import datetime as dt
from enum import StrEnum

import msgspec


MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
IST_OFFSET_MS = 330 * MINUTE_MS
MAX_NOW_MS = 7_258_118_400_000  # 2200-01-01: microseconds passed by mistake fail
_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()


class Phase(StrEnum):
    """A stretch of the trading day; ``closed`` is everything outside of them."""

    PRE_OPEN = "pre_open"
    OPEN = "open"
    CLOSING_AUCTION = "closing_auction"
    CLOSING = "closing"
    POST_CLOSE = "post_close"
    CLOSED = "closed"

    @property
    def prices_move(self) -> bool:
        """Whether orders can move a price: before the open, open, closing auction.

        In ``closing`` the exchange computes the close; in ``post_close`` it trades
        at that one price.
        """
        return self in _MOVING


class Stage(StrEnum):
    """What is done in a call auction (pre-open or closing): when orders come, and when they meet."""

    ORDER_ENTRY = "order_entry"
    LIMIT_ONLY = "limit_only"
    MATCHING = "matching"
    BUFFER = "buffer"
    TRANSITION = "transition"


_MOVING = frozenset({Phase.PRE_OPEN, Phase.OPEN, Phase.CLOSING_AUCTION})


class MarketSession(msgspec.Struct, frozen=True, kw_only=True):
    """The market at one instant, as the calendar has it.

    phase: of the scrips outside the closing auction, which is the market's phase.
    closing_auction_phase: of the scrips that close by auction.
    stage, closing_auction_stage: of the call auction that either is in; None outside
        of one. Order entry may end up to two minutes early, at random.
    trading_day: ISO date of the day the newest prices belong to: today from the
        first phase on, until then the last day that traded. A session whose times
        were never notified does not count.
    reason: why the phase is what it is, for people.
    next_change_at_ms: when ``phase`` next takes another value. Past the covered
        dates it follows the weekdays. None for a session that never ends.
    next_open_at_ms: when the next continuous session starts, later than now. None
        when a date on the way there is not covered. Sessions without times are
        passed over.
    special: today has a session of its own, with or without known times.
    covered: False when the calendar does not know this date.
    calendar_ends_in_days: days covered after today, negative past the end, None
        for a session without a calendar.
    """

    phase: Phase
    closing_auction_phase: Phase
    trading_day: str
    reason: str
    next_change_at_ms: int | None
    next_open_at_ms: int | None
    special: bool
    covered: bool
    calendar_ends_in_days: int | None
    stage: Stage | None = None
    closing_auction_stage: Stage | None = None

    @property
    def is_open(self) -> bool:
        """Whether the price of any scrip can move now: the time to poll.

        True in the closing auction too when the market itself is at ``closing``.
        """
        return self.phase.prices_move or self.closing_auction_phase.prices_move

    def scrip_phase(self, *, closing_auction_scrip: bool) -> Phase:
        """The phase of one scrip, by whether it takes part in the closing auction."""
        return self.closing_auction_phase if closing_auction_scrip else self.phase

    def runs_out_within(self, days: int) -> bool:
        """Whether fewer than `days` days after today are covered, or today is not."""
        if self.calendar_ends_in_days is None:
            return False
        return not self.covered or self.calendar_ends_in_days < days


def always_open(now_ms: int) -> MarketSession:
    """The session of the stand-in exchange, which trades without a break.

    Raises ValueError when `now_ms` is not epoch milliseconds.
    """
    return MarketSession(
        phase=Phase.OPEN,
        closing_auction_phase=Phase.OPEN,
        trading_day=iso_date(day_number(now_ms)),
        reason="continuous session of the stand-in exchange",
        next_change_at_ms=None,
        next_open_at_ms=None,
        special=False,
        covered=True,
        calendar_ends_in_days=None,
    )


def day_number(now_ms: int) -> int:
    """The Indian date at `now_ms`, as a proleptic ordinal (1 is 0001-01-01).

    Raises ValueError when `now_ms` is not between the years 1970 and 2200.
    """
    if not 0 <= now_ms < MAX_NOW_MS:
        raise ValueError(f"not epoch milliseconds of 1970 to 2200: {now_ms}")
    return (now_ms + IST_OFFSET_MS) // DAY_MS + _EPOCH_ORDINAL


def midnight_ms(day: int) -> int:
    """Epoch milliseconds at which the day with this ordinal begins in India."""
    return (day - _EPOCH_ORDINAL) * DAY_MS - IST_OFFSET_MS


def iso_date(day: int) -> str:
    """The day with this ordinal as ``YYYY-MM-DD``."""
    return dt.date.fromordinal(day).isoformat()

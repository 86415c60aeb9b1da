"""The calendar that the fetchers work by, followed while the process runs: both always tell of the same days."""

import structlog

from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.calendar_board import CalendarBoard
from bse_shared.sessions.calendar import (
    CalendarError,
    MarketCalendar,
    builtin_calendar,
    parse_calendar,
)


log = structlog.get_logger()

LOOK_INTERVAL_S = 2.0
WARN_DAYS = 14


class CalendarFollower:
    """`step` is a supervised loop. Until a fetcher has told its calendar the packaged one counts."""

    def __init__(self, board: CalendarBoard, clock: Clock):
        self.calendar: MarketCalendar = builtin_calendar()
        self._board = board
        self._clock = clock
        self._seen: bytes | None = None
        self._warned_on = ""

    async def step(self) -> None:
        """Take a changed calendar; one that can't be read (of a newer version) leaves the one before."""
        data = await self._board.read()
        if data is not None and data != self._seen:
            self._seen = data
            self._take(data)
        self._warn()

    def days_left(self) -> int:
        """How many days after today it knows; negative past its end."""
        left = self.calendar.session_at(self._clock.wall_ms()).calendar_ends_in_days
        return 0 if left is None else left

    def _take(self, data: bytes) -> None:
        try:
            self.calendar = parse_calendar(data)
        except CalendarError as error:
            log.warning("calendar.not_read", error=str(error))
        else:
            log.info("calendar.read", until=self.calendar.covers_until.isoformat())

    def _warn(self) -> None:
        """Once a day, where the calendar runs out."""
        today = self.calendar.session_at(self._clock.wall_ms())
        is_due = today.runs_out_within(WARN_DAYS)
        if is_due and today.trading_day != self._warned_on:
            self._warned_on = today.trading_day
            log.warning("calendar.runs_out", days=today.calendar_ends_in_days)

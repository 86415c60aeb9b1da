"""Which session it is: from a calendar that is data and may change while the process runs."""

from collections.abc import Callable
from pathlib import Path

import structlog

from bse_fetcher.settings import PollSettings
from bse_shared.pacing.clock import Clock
from bse_shared.sessions.calendar import (
    CalendarError,
    MarketCalendar,
    builtin_calendar,
    builtin_calendar_file,
    parse_calendar,
)
from bse_shared.sessions.session import MarketSession, always_open


log = structlog.get_logger()

WARN_DAYS = 14


class CalendarSource:
    """The calendar in force; `reload` takes a changed file, and keeps the old one if the new is wrong."""

    def __init__(self, settings: PollSettings, clock: Clock):
        self._path = Path(settings.calendar) if settings.calendar else None
        self._always_open = settings.session == "always_open"
        self._clock = clock
        self._read_at: tuple[int, ...] | None = None
        self._problem = ""
        self.file = builtin_calendar_file()
        """What the calendar in force was read from."""
        self._calendar: MarketCalendar = builtin_calendar()
        self._warned_on = ""

    def session(self) -> MarketSession:
        """The session now."""
        now_ms = self._clock.wall_ms()
        return (
            always_open(now_ms)
            if self._always_open
            else self._calendar.session_at(now_ms)
        )

    async def reload(self) -> None:
        """Read the file again if it changed; warn daily when the calendar runs out."""
        if self._path:
            self._read(self._path)
        session = self.session()
        if (
            session.runs_out_within(WARN_DAYS)
            and session.trading_day != self._warned_on
        ):
            self._warned_on = session.trading_day
            log.warning("calendar.runs_out", days=session.calendar_ends_in_days)

    def _read(self, path: Path) -> None:
        try:
            found = path.stat()
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            if version == self._read_at:
                return
            data = path.read_bytes()
            self._calendar = parse_calendar(data)
        except (OSError, CalendarError) as error:
            # Once, not at each reload; a file that could not be read is tried again.
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning("calendar.not_read", path=str(path), error=str(error))
            return
        self.file = data
        self._read_at = version
        self._problem = ""
        log.info("calendar.read", path=str(path))


SessionNow = Callable[[], MarketSession]

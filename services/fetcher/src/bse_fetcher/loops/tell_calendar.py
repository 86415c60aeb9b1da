"""Tells the gateways which calendar is in force: they follow the fetcher's, so that all know the same sessions."""

from dataclasses import dataclass

import structlog

from bse_fetcher.core import Core
from bse_fetcher.session_source import CalendarSource
from bse_shared.redis_edge.calendar_board import CalendarBoard


log = structlog.get_logger()


@dataclass(slots=True)
class CalendarTeller:
    """A few KB; told again where the store lost its memory."""

    core: Core
    calendar: CalendarSource
    board: CalendarBoard

    async def step(self) -> None:
        """Tell it, if this fetcher leads and the store has another."""
        if self.core.terms.leads and await self.board.put(self.calendar.file):
            log.info("calendar.told")

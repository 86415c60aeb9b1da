"""What this fetcher knows of its source, and how it says so in the bus beat."""

from collections.abc import Callable

from bse_shared.sessions.session import MarketSession
from bse_shared.wire.records import FeedStatus, SessionRecord, SourceRecord


class Feed:
    """The state of the source, told by the poll loop and read by the beat, the probes and the log."""

    def __init__(self, source: str, shards: int, poll_interval_s: float):
        self.source = source
        self.last_answer_at_ms: int | None = None
        self.last_error: str | None = None
        self.failures = 0
        self.rows = 0
        self.rejected_rows = 0
        self.sources: Callable[[], list[SourceRecord]] = list
        """What tells the state of every source's endpoints."""
        self.order: Callable[[], str] = str
        """What tells the operators' order in words."""
        self.suspect: Callable[[], int] = int
        """What tells how many prices are suspect."""
        self._shards = shards
        self._poll_interval_s = poll_interval_s

    def answered(self, at_ms: int, rows: int, rejected_rows: int) -> None:
        """The source gave a usable answer."""
        self.last_answer_at_ms = at_ms
        self.last_error = None
        self.failures = 0
        self.rows = rows
        self.rejected_rows = rejected_rows

    def failed(self, error: str) -> None:
        """The source gave none."""
        self.failures += 1
        self.last_error = error

    def state(self, session: MarketSession) -> str:
        """`ok`, `failing`, or `closed` when there is nothing to expect."""
        if self.last_error is not None:
            return "failing"
        return "ok" if session.is_open else "closed"

    def status(
        self,
        at_ms: int,
        writer: str,
        session: MarketSession,
        instruments_version: int,
    ) -> FeedStatus:
        """The beat (`at_ms` on the store's clock)."""
        return FeedStatus(
            at_ms=at_ms,
            writer=writer,
            source=self.source,
            state=self.state(session),
            session=SessionRecord(
                phase=session.phase,
                is_open=session.is_open,
                reason=session.reason,
                trading_day=session.trading_day,
                next_change_at_ms=session.next_change_at_ms,
                next_open_at_ms=session.next_open_at_ms,
                closing_auction_phase=session.closing_auction_phase,
                special=session.special,
                calendar_ends_in_days=session.calendar_ends_in_days,
            ),
            shards=self._shards,
            poll_interval_s=self._poll_interval_s,
            last_answer_at_ms=self.last_answer_at_ms,
            last_error=self.last_error,
            rows=self.rows,
            rejected_rows=self.rejected_rows,
            instruments_version=instruments_version,
            sources=self.sources(),
            order=self.order(),
            suspect=self.suspect(),
        )

"""What this fetcher knows of its source: the last answer, or what is wrong."""

from bse_shared.sessions.session import MarketSession


class Feed:
    """The state of the source, told by the loops that poll and read by whoever tells of it."""

    def __init__(self, source: str):
        self.source = source
        self.last_answer_at_ms: int | None = None
        self.last_error: str | None = None
        self.failures = 0
        self.rows = 0
        self.rejected_rows = 0

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

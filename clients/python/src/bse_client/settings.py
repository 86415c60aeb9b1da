"""How a stream connects: all limits of the edge, refused at once where they can never work."""

from dataclasses import dataclass

from bse_client.backoff import Backoff
from bse_client.identity import Credential
from bse_client.wire import SUBPROTOCOLS, Encoding


SESSION_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to connect, and what to ask for on each connection."""

    url: str
    encoding: Encoding
    client_id: str | None
    session: str | None
    ticket: Credential | None
    heartbeat_interval_ms: int | None
    digest: bool
    compress: bool
    connect_timeout_s: float
    reply_timeout_s: float
    backoff: Backoff

    def __post_init__(self) -> None:
        """Refuse what can never work."""
        scheme = self.url.partition("://")[0]
        if scheme not in {"ws", "wss", "http", "https"}:
            msg = f"{self.url!r} is no ws:// or wss:// address"
            raise ValueError(msg)
        if self.encoding not in SUBPROTOCOLS:
            msg = f"{self.encoding!r} is not one of {', '.join(SUBPROTOCOLS)}"
            raise ValueError(msg)
        if self.session is not None and not 1 <= len(self.session) <= SESSION_MAX:
            msg = f"{self.session!r:.80} is no session name of 1 to {SESSION_MAX} characters"
            raise ValueError(msg)

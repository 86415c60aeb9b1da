"""What bse-watch remembers between two paintings: flashes, rejections, the connection, the rate. Pure."""

from collections import deque
from dataclasses import dataclass, field

from bse_client.answers import HubError, Rejection, Subscription
from bse_client.events import (
    Connected,
    DigestMismatch,
    Disconnected,
    Event,
    QuoteChanged,
    Restored,
    SubscriptionChanged,
)
from bse_client.messages import Heartbeat, LostChanges, Notice
from bse_client.watch_text import moment_text


FLASH_MS = 700
RATE_WINDOW_MS = 5_000
REJECTIONS_MAX = 20


@dataclass(slots=True)
class Board:
    """Feed it events; the painter reads it. `asked`: the names of the command line, for the order."""

    asked: tuple[str, ...]
    started_ms: float
    connection: str = "connecting …"
    is_connected: bool = False
    heartbeat: Heartbeat | None = None
    heard_ms: float = 0.0
    rows: tuple[Subscription, ...] = ()
    rejected: dict[str, Rejection] = field(default_factory=dict)
    problem: str = ""
    _lasts: dict[int, int] = field(default_factory=dict)
    _flashes: dict[int, tuple[int, float]] = field(default_factory=dict)
    _changes: deque[tuple[float, int]] = field(default_factory=deque)

    def receive(self, event: Event, now_ms: float) -> None:
        """Take an event."""
        match event:
            case QuoteChanged():
                self._changed(event, now_ms)
            case Heartbeat():
                self.heartbeat, self.heard_ms = event, now_ms
            case SubscriptionChanged():
                self._set(event)
            case Connected():
                self.connection, self.is_connected = "connected", True
                self.problem = ""
            case Disconnected(reason, retry_in_s):
                self.connection = f"{reason}; next attempt in {retry_in_s:.1f} s"
                self.is_connected = False
            case HubError(_, reason, message):
                self.problem = f"{reason}: {message}"
            case _:
                self._told(event)

    def direction(self, code: int, now_ms: float) -> int:
        """1 or -1 for a moment after the last price rose or fell, else 0."""
        direction, until_ms = self._flashes.get(code, (0, 0.0))
        return direction if now_ms < until_ms else 0

    def feed_age_ms(self, now_ms: float) -> int | None:
        """How old the feed is now: it ages while no heartbeat comes."""
        age_ms = self.heartbeat.feed.age_ms if self.heartbeat else None
        return None if age_ms is None else age_ms + int(now_ms - self.heard_ms)

    def rate(self, now_ms: float) -> float:
        """Changed quotes per second, over the last seconds."""
        while self._changes and self._changes[0][0] <= now_ms - RATE_WINDOW_MS:
            self._changes.popleft()
        seen_ms = min(RATE_WINDOW_MS, max(1_000.0, now_ms - self.started_ms))
        return sum(count for _, count in self._changes) * 1_000 / seen_ms

    def _told(self, event: Event) -> None:
        match event:
            case Restored(resumed, re_imaged):
                self.connection = (
                    f"connected again ({len(resumed)} resumed, {len(re_imaged)} anew)"
                )
            case DigestMismatch(count=count):
                self.problem = f"our quotes differed from the hub's {count} times"
            case LostChanges():
                span = event.to_sequence - event.from_sequence
                self.problem = f"{span} changes of {event.symbol} came merged"
            case Notice():
                self.problem = notice_text(event)

    def _changed(self, event: QuoteChanged, now_ms: float) -> None:
        quote = event.quote
        self._changes.append((now_ms, 1 + event.conflated))
        if quote.last_paise is None:
            return
        before = self._lasts.get(quote.code, quote.last_paise)
        self._lasts[quote.code] = quote.last_paise
        if before != quote.last_paise:
            direction = 1 if quote.last_paise > before else -1
            self._flashes[quote.code] = direction, now_ms + FLASH_MS

    def _set(self, event: SubscriptionChanged) -> None:
        order = {name: place for place, name in enumerate(self.asked)}
        end = len(order)
        self.rows = tuple(
            sorted(
                event.subscriptions,
                key=lambda item: min(
                    order.get(item.symbol.upper(), end), order.get(str(item.code), end)
                ),
            )
        )
        for item in event.rejected[:REJECTIONS_MAX]:
            self.rejected[item.symbol] = item


def notice_text(notice: Notice) -> str:
    """A word of the hub in words."""
    match notice.reason:
        case "slow_reader":
            return (
                f"we read too slowly: at most {notice.max_hz:g} updates/s for now"
                if notice.max_hz
                else "we read too slowly"
            )
        case "keeps_up_again":
            return ""
        case "token_expiring":
            return f"the token ends at {moment_text(notice.expires_at_ms)}"
        case other:
            return other.replace("_", " ")

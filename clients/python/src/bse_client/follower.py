"""Message by message: what the stream knows, what its reader is told, and which images are wanted.

Pure: the edge brings messages and our monotonic `now_ms`, and asks for the images it is told to.
"""

from collections.abc import Iterable

from bse_client.events import Connected, Gap, SubscriptionChanged
from bse_client.liveness import Liveness
from bse_client.mailbox import Mailbox
from bse_client.messages import (
    Heartbeat,
    HubError,
    Image,
    Message,
    Qualities,
    QuoteUpdate,
    Subscribed,
    Unsubscribed,
    Update,
    Welcome,
)
from bse_client.quote import Quote
from bse_client.quote_table import QuoteTable
from bse_client.server_clock import ServerClock
from bse_client.subscriptions import Asked, Subscriptions


ASK_AGAIN_MS = 3_000
"""How long to wait for an image before asking for it once more."""

Codes = list[int]


class Follower:
    """All state of a stream but its socket."""

    def __init__(self, lost_after_heartbeats: int = 5) -> None:
        self.table = QuoteTable()
        self.mailbox = Mailbox()
        self.subscriptions = Subscriptions()
        self.liveness = Liveness(lost_after_heartbeats)
        self.welcome: Welcome | None = None
        self.heartbeat: Heartbeat | None = None
        self._clock = ServerClock()
        self._asked_ms: dict[int, float] = {}
        self._was_live = False

    def receive(
        self, message: Message, now_ms: float, asked: Asked | None = None
    ) -> Codes:
        """Take a message, the answer to `asked` or nobody's; the codes to image again."""
        self.liveness.heard(now_ms)
        again: Codes = []
        match message:
            case Welcome():
                self._welcomed(message, now_ms)
            case Subscribed() | Unsubscribed():
                self._set(message, asked)
            case Image():
                self._image(message, now_ms)
            case Update():
                again = self._update(message, now_ms)
            case Qualities():
                self._qualities(message, now_ms)
            case Heartbeat():
                again = self._beat(message, now_ms)
            case HubError() if asked is None:
                self.mailbox.post(message)
        self._requalify_if_flipped(now_ms)
        return again

    def check(self, now_ms: float) -> bool:
        """Time passed without a message: requalify; True if the connection is lost."""
        self._requalify_if_flipped(now_ms)
        return self.liveness.is_lost(now_ms)

    def disconnected(self, now_ms: float) -> None:
        """The connection is gone: nothing is live, and positions mean nothing any more."""
        self.liveness.disconnected()
        self.table.disconnected()
        self.subscriptions.disconnected()
        self._asked_ms.clear()
        self._requalify(self.table.held, now_ms)

    def quote(self, code: int, now_ms: float) -> Quote | None:
        """The quote to show now."""
        return self.table.quote(
            code,
            live=self.liveness.is_live(now_ms),
            hub_now_ms=self._clock.now_ms(now_ms),
        )

    # One method for each message.

    def _welcomed(self, welcome: Welcome, now_ms: float) -> None:
        self.mailbox.post(Connected(welcome.session, self.welcome is not None))
        self.welcome = welcome
        self._clock = ServerClock()
        self._clock.observe(welcome.server_time_ms, now_ms)
        self.liveness.connected(welcome.heartbeat_interval_ms, now_ms)

    def _set(self, answer: Subscribed | Unsubscribed, asked: Asked | None) -> None:
        before = self.subscriptions.held
        self.subscriptions.receive(answer, asked)
        if self.subscriptions.held != before or answer.rejected:
            self.mailbox.post(SubscriptionChanged(answer.symbols, answer.rejected))
        for code in self.table.keep(answer.symbols):
            self.mailbox.forget(code)
            self._asked_ms.pop(code, None)

    def _image(self, image: Image, now_ms: float) -> None:
        for item in image.quotes:
            is_first = item.code not in self.table.held
            result = self.table.image(item)
            if item.code not in self.table.held:
                continue
            self._asked_ms.pop(item.code, None)
            self.mailbox.change(item.code, result.changed, is_image=True)
            if is_first:
                live = self.liveness.is_live(now_ms)
                self.table.held[item.code].shown = self.table.held[item.code].quality(
                    live=live
                )
            self._requalify((item.code,), now_ms)

    def _update(self, update: Update, now_ms: float) -> Codes:
        again: Codes = []
        for item in update.quotes:
            result = self.table.update(item, update.received_at_ms)
            if result.changed:
                self.mailbox.change(item.code, result.changed, is_image=False)
            if result.new_gap:
                again.append(item.code)
                self._torn(item, now_ms)
        return again

    def _torn(self, item: QuoteUpdate, now_ms: float) -> None:
        self._asked_ms[item.code] = now_ms
        held = self.table.held[item.code].sequence
        symbol = self.table.symbols[item.code]
        self.mailbox.post(Gap(symbol, item.code, held, item.from_sequence))
        self._requalify((item.code,), now_ms)

    def _qualities(self, message: Qualities, now_ms: float) -> None:
        for item in message.quotes:
            if self.table.report(item.code, item.quality):
                self._requalify((item.code,), now_ms)

    def _beat(self, heartbeat: Heartbeat, now_ms: float) -> Codes:
        late_ms = self._clock.observe(heartbeat.server_time_ms, now_ms)
        self.liveness.beat(heartbeat.live_for_ms - late_ms, now_ms)
        self.heartbeat = heartbeat
        self.mailbox.post(heartbeat)
        again = [code for code in self.table.torn() if self._is_overdue(code, now_ms)]
        self._asked_ms.update(dict.fromkeys(again, now_ms))
        return again

    def _is_overdue(self, code: int, now_ms: float) -> bool:
        return now_ms - self._asked_ms.get(code, now_ms) >= ASK_AGAIN_MS

    def _requalify_if_flipped(self, now_ms: float) -> None:
        is_live = self.liveness.is_live(now_ms)
        if is_live is not self._was_live:
            self._was_live = is_live
            self._requalify(self.table.held, now_ms)

    def _requalify(self, codes: Iterable[int], now_ms: float) -> None:
        live = self.liveness.is_live(now_ms)
        for code, before in self.table.requalify(codes, live=live):
            self.mailbox.quality(code, before)

"""Message by message: what the stream knows, what its reader is told, and which images are wanted.

Pure: the edge brings messages and our monotonic `now_ms`, and asks for the images it is told to.
"""

from collections.abc import Iterable

from bse_client.answers import (
    Authenticated,
    HeartbeatGranted,
    HubError,
    Identity,
    Limits,
    Resumed,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.awaited_images import AwaitedImages
from bse_client.commands import Asked
from bse_client.events import (
    Connected,
    DigestMismatch,
    Gap,
    Restored,
    SubscriptionChanged,
)
from bse_client.liveness import Liveness
from bse_client.mailbox import Mailbox
from bse_client.messages import (
    Heartbeat,
    Image,
    Lost,
    Message,
    Notice,
    Qualities,
    QuoteUpdate,
    Update,
    Welcome,
)
from bse_client.quote import Quote
from bse_client.quote_table import QuoteTable
from bse_client.server_clock import ServerClock
from bse_client.shown_quotes import ShownQuotes
from bse_client.subscriptions import Restore, SetAnswer, Subscriptions


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
        self.identity: Identity | None = None
        self.limits: Limits | None = None
        self.digest_mismatches = 0
        self._shown = ShownQuotes(
            self.table, self.mailbox, self.subscriptions, self.liveness
        )
        self._awaited = AwaitedImages()
        self._resumed: dict[int, None] = {}

    def receive(
        self, message: Message, now_ms: float, asked: Asked | None = None
    ) -> Codes:
        """Take a message, the answer to `asked` or nobody's; the codes to image again."""
        self.liveness.heard(now_ms)
        again: Codes = []
        match message:
            case Image():
                self._image(message, now_ms)
            case Update():
                again = self._update(message, now_ms)
            case Qualities():
                self._qualities(message, now_ms)
            case Heartbeat():
                again = self._beat(message, now_ms)
            case _:
                self._rare(message, now_ms, asked)
        self._shown.requalify_if_flipped(now_ms)
        return again

    def check(self, now_ms: float) -> bool:
        """Time passed without a message: requalify; True if the connection is lost."""
        self._shown.requalify_if_flipped(now_ms)
        return self.liveness.is_lost(now_ms)

    def disconnected(self, now_ms: float) -> None:
        """The connection is gone: nothing is live, and nothing applies until the hub goes on."""
        self.liveness.disconnected()
        self.table.disconnected()
        self.subscriptions.disconnected()
        self._awaited.clear()
        self._resumed.clear()
        self._shown.requalify(self.table.held, now_ms)

    def restore(self) -> list[Restore]:
        """What to ask for on a new connection: to go on from what we hold, or to begin anew."""
        own = self.subscriptions.own
        return self.subscriptions.restore(self.table.positions(own))

    def restored(self, *, is_return: bool) -> None:
        """All of `restore` was asked for and answered; the reader is told what became of it."""
        self.subscriptions.restored()
        self._keep(self.subscriptions.held.values())
        held = self.subscriptions.held
        if is_return and held:
            resumed = tuple(code for code in self._resumed if code in held)
            others = tuple(code for code in held if code not in self._resumed)
            self.mailbox.post(Restored(resumed, others))
        self._resumed.clear()

    def quote(self, code: int, now_ms: float) -> Quote | None:
        """The quote to show now."""
        return self._shown.quote(code, now_ms)

    # One method for each message.

    def _rare(self, message: Message, now_ms: float, asked: Asked | None) -> None:
        match message:
            case Welcome():
                self._welcomed(message, now_ms)
            case Subscribed() | Unsubscribed() | Resumed():
                self._set(message, now_ms, asked)
            case Authenticated():
                self.identity, self.limits = message.identity, message.limits
            case HeartbeatGranted():
                self.liveness.granted(message.interval_ms)
            case Notice():
                self.mailbox.post(message)
            case Lost():
                for item in message.quotes:
                    self.mailbox.post(item)
            case HubError() if asked is None:
                self.mailbox.post(message)

    def _welcomed(self, welcome: Welcome, now_ms: float) -> None:
        self.mailbox.post(Connected(welcome.session, self.welcome is not None))
        self.welcome = welcome
        self.identity, self.limits = welcome.identity, welcome.limits
        self._shown.clock = ServerClock()
        self._shown.clock.observe(welcome.server_time_ms, now_ms)
        self.liveness.connected(welcome.heartbeat_interval_ms, now_ms)

    def _set(self, answer: SetAnswer, now_ms: float, asked: Asked | None) -> None:
        before = self.subscriptions.held
        self.subscriptions.receive(answer, asked)
        if self.subscriptions.held != before or answer.rejected:
            self.mailbox.post(SubscriptionChanged(answer.symbols, answer.rejected))
        self._keep(answer.symbols)
        if isinstance(answer, Resumed):
            self._resumed |= dict.fromkeys(answer.resumed)
            waiting = self.table.resumed(answer.resumed)
            self._awaited.asked(waiting, now_ms)

    def _keep(self, subscriptions: Iterable[Subscription]) -> None:
        for code in self.table.keep(subscriptions, self.subscriptions.restoring):
            self.mailbox.forget(code)
        self._awaited.keep_only(self.table.symbols)

    def _image(self, image: Image, now_ms: float) -> None:
        for item in image.quotes:
            is_first = item.code not in self.table.held
            result = self.table.image(item)
            if item.code not in self.table.held:
                continue
            self._awaited.came(item.code)
            self._shown.changed(item.code, result, item.sequence, now_ms, is_image=True)
            if is_first:
                self._shown.first(item.code, now_ms)
            self._shown.requalify((item.code,), now_ms)

    def _update(self, update: Update, now_ms: float) -> Codes:
        again: Codes = []
        for item in update.quotes:
            result = self.table.update(item, update.received_at_ms)
            if result.changed:
                self._shown.changed(item.code, result, item.from_sequence, now_ms)
            if result.new_gap:
                again.append(item.code)
                self._torn(item, now_ms)
        return again

    def _torn(self, item: QuoteUpdate, now_ms: float) -> None:
        self._awaited.asked([item.code], now_ms)
        held = self.table.held[item.code].sequence
        symbol = self.table.symbols[item.code]
        self.mailbox.post(Gap(symbol, item.code, held, item.from_sequence))
        self._shown.requalify((item.code,), now_ms)

    def _qualities(self, message: Qualities, now_ms: float) -> None:
        for item in message.quotes:
            if self.table.report(item.code, item.quality):
                self._shown.requalify((item.code,), now_ms)
                if not self.table.held[item.code].is_unsure:
                    self._awaited.came(item.code)

    def _beat(self, heartbeat: Heartbeat, now_ms: float) -> Codes:
        late_ms = self._shown.clock.observe(heartbeat.server_time_ms, now_ms)
        self.liveness.beat(heartbeat.live_for_ms - late_ms, now_ms)
        self.heartbeat = heartbeat
        self.mailbox.post(heartbeat)
        if heartbeat.digest is not None and not self._awaited:
            return self._compare(heartbeat.digest, now_ms)
        return self._awaited.ask_again(now_ms)

    def _compare(self, expected: int, now_ms: float) -> Codes:
        """Hold our check sum against the hub's. Each scrip of the set is in doubt if they differ."""
        codes = list(self.subscriptions.held)
        computed = self.table.digest(codes)
        if computed == expected:
            return []
        self.digest_mismatches += 1
        count = self.digest_mismatches
        self.mailbox.post(DigestMismatch(expected, computed, count))
        self.table.doubt()
        self._awaited.asked(codes, now_ms)
        self._shown.requalify(self.table.held, now_ms)
        return codes

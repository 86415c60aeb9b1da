"""What the reader is shown of what is held, and told of: whether a price may be called live depends on more than its scrip.

Pure.
"""

from collections.abc import Iterable

from bse_client.events import QuoteChanged
from bse_client.liveness import Liveness
from bse_client.mailbox import Mailbox
from bse_client.quote import Quote
from bse_client.quote_table import QuoteTable, Result
from bse_client.server_clock import ServerClock
from bse_client.subscriptions import Subscriptions


class ShownQuotes:
    """The table through the reader's eyes. `clock`: the hub's, of this connection."""

    def __init__(
        self,
        table: QuoteTable,
        mailbox: Mailbox,
        subscriptions: Subscriptions,
        liveness: Liveness,
    ):
        self.clock = ServerClock()
        self._table = table
        self._mailbox = mailbox
        self._subscriptions = subscriptions
        self._liveness = liveness
        self._was_live = False

    def quote(self, code: int, now_ms: float) -> Quote | None:
        """The quote to show now."""
        return self._table.quote(
            code,
            live=self._liveness.is_live(now_ms),
            hub_now_ms=self.clock.now_ms(now_ms),
        )

    def first(self, code: int, now_ms: float) -> None:
        """Of a scrip that was not held before: what it is shown as is no change."""
        held = self._table.held[code]
        held.shown = held.quality(live=self._liveness.is_live(now_ms))

    def changed(
        self,
        code: int,
        result: Result,
        from_sequence: int,
        now_ms: float,
        *,
        is_image: bool = False,
    ) -> None:
        """Fields have new values: told merged with what waits, or by itself where each change is wanted."""
        item = self._subscriptions.held.get(code)
        quote = self.quote(code, now_ms) if item and item.every else None
        if quote is None:
            self._mailbox.change(code, result.changed, is_image=is_image)
            return
        event = QuoteChanged(quote, result.changed, is_image=is_image)
        self._mailbox.row(event, from_sequence)

    def requalify(self, codes: Iterable[int], now_ms: float) -> None:
        """These may be shown otherwise from now on."""
        live = self._liveness.is_live(now_ms)
        for code, before in self._table.requalify(codes, live=live):
            self._mailbox.quality(code, before)

    def requalify_if_flipped(self, now_ms: float) -> None:
        """All may, where live prices became possible or impossible."""
        is_live = self._liveness.is_live(now_ms)
        if is_live is not self._was_live:
            self._was_live = is_live
            self.requalify(self._table.held, now_ms)

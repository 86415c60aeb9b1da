"""What an operator ordered, as the loops understand it. Pure."""

from bse_shared.wire.records import OrderRecord


class Orders:
    """The order in force."""

    def __init__(self) -> None:
        self.record: OrderRecord | None = None
        self.left_ms = 0
        self.known = False
        """Whether the orders were read since the start: before that nobody knows whether the feed is paused."""
        self._polled: OrderRecord | None = None

    @property
    def paused(self) -> bool:
        """Whether no source may be asked for anything."""
        if not self.known:
            return True
        return self.record is not None and self.record.pause

    @property
    def frozen(self) -> bool:
        """Whether nothing may be published: the last values stand, and grow old."""
        return self.record is not None and self.record.freeze

    def may_ask(self, source: str) -> bool:
        """Whether the source may be asked for prices."""
        order = self.record
        return order is None or (not self.paused and order.source in {"", source})

    def forces(self, source: str) -> bool:
        """Whether the source is to be asked although another one would be enough."""
        return self.record is not None and self.record.source == source

    def take_poll_now(self) -> bool:
        """Whether to poll at once; true one time for each order that says so."""
        order = self.record
        if order is None or not order.poll_now or order == self._polled:
            return False
        self._polled = order
        return True

    def told(self) -> str:
        """The order in words; empty where there is none."""
        order = self.record
        if order is None:
            return ""
        parts = [
            "paused" if order.pause else "",
            "frozen" if order.freeze else "",
            f"source {order.source}" if order.source else "",
            "poll now" if order.poll_now else "",
        ]
        what = ", ".join(part for part in parts if part) or "resumed"
        return f"{what} by {order.by} for {self.left_ms // 1000} s more"

"""The connection's side of the lean door: asked before a request becomes a task."""

from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bse_gateway.metrics import GatewayMetrics
from bse_gateway.rest.envelope import RequestIds
from bse_gateway.rest.lean_door import LeanDoor
from bse_gateway.rest.limited_protocol import ConnectionLimits, LimitedProtocol


def lean_protocol(
    door: LeanDoor, limits: ConnectionLimits, metrics: GatewayMetrics, ids: RequestIds
) -> type[HttpToolsProtocol]:
    """The protocol of a server whose quote requests are shown to this door first."""
    bound = {"door": door, "limits": limits, "metrics": metrics, "ids": ids}
    return type("BoundLeanProtocol", (LeanProtocol,), bound)


class LeanProtocol(LimitedProtocol):
    """One connection."""

    door: ClassVar[LeanDoor]
    _is_answered = False
    _defaults: list[tuple[bytes, bytes]] | None = None
    _default_block = b""

    def on_message_begin(self) -> None:
        """Forget the last request. uvicorn's scope is made only where it is needed."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._is_in_head = True
        self._head_bytes = 1

    def on_headers_complete(self) -> None:
        """Answer at once if the door does, else go uvicorn's way."""
        answer = self._answer()
        if answer is None:
            # A lean answer earlier in the same packet may have armed it.
            self._unset_keepalive_if_required()
            self._make_scope()
            super().on_headers_complete()
            return
        self._head_is_whole()
        self._is_answered = True
        self.transport.write(answer)
        self.on_response_complete()

    def on_body(self, body: bytes) -> None:
        """A request that was answered has none that matters."""
        if not self._is_answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        if self._is_answered:
            self._is_answered = False
        else:
            super().on_message_complete()

    def _make_scope(self) -> None:
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.headers += headers  # the scope holds this very list
        self.url, self.expect_100_continue = url, expect

    def _answer(self) -> bytes | None:
        parser: Any = self.parser
        if (
            parser.get_method() != b"GET"
            or not parser.should_keep_alive()
            or parser.get_http_version() != "1.1"
            or self._is_occupied()
        ):
            return None
        defaults = self.server_state.default_headers
        if defaults is not self._defaults:  # the server makes a new list each second
            self._defaults = defaults
            self._default_block = b"".join(b"%b: %b\r\n" % each for each in defaults)
        host = self.client[0] if self.client else ""
        return self.door.answer(self.url, self.headers, host, self._default_block)

    def _is_occupied(self) -> bool:
        """Whether an earlier answer is not out yet, or nobody reads what we write."""
        return (
            not getattr(self.cycle, "response_complete", True)  # None before the first
            or bool(self.pipeline)
            or self.flow.write_paused
            or self.transport.is_closing()
        )

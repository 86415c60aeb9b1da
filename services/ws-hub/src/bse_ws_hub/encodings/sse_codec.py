"""The JSON of the raw door as Server-Sent Events."""

from bse_ws_hub.encodings.codec import Framer
from bse_ws_hub.encodings.json_codec import JsonCodec
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.encodings.wire import as_it_is


class SseCodec(JsonCodec):
    """`event: TYPE`, `data: {…}`, and `id:` where the message names the client's place (`event_id`)."""

    door = "sse"

    def __init__(self) -> None:
        super().__init__("sse", as_it_is)

    def framer(
        self, kind: str, sent_at_ms: int, received_at_ms: int, published_at_ms: int = 0
    ) -> Framer:
        """See Codec."""
        json = super().framer(kind, sent_at_ms, received_at_ms, published_at_ms)
        head = f"event: {kind}\ndata: ".encode()
        return lambda chunks, count: b"".join((head, json(chunks, count), b"\n\n"))

    def message(self, message: Message) -> bytes:
        """See Codec."""
        members = {name: value for name, value in message.items() if name != "event_id"}
        place = f"id: {message['event_id']}\n" if message.get("event_id") else ""
        head = f"{place}event: {message['type']}\ndata: ".encode()
        return head + super().message(members) + b"\n\n"


SSE = SseCodec()

"""What an encoding must do. A row of a frequent message is encoded once (a chunk), a frame joins chunks."""

from collections.abc import Callable, Iterable
from typing import Protocol

from bse_shared.quotes.frame import Image
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote import Quote
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.encodings.wire import Wire


Framer = Callable[[Iterable[bytes], int], bytes]
"""Makes one payload of chunks, of which so many are not empty."""


class Codec(Protocol):
    """One encoding of the protocol at one door.

    Sessions share frames if their codecs have the same `name`, and chunks if they have the same `chunks`. `wire`
    makes of a payload what is written to the client.
    """

    name: str
    door: str
    chunks: str
    wire: Wire

    def image_chunk(
        self, code: int, symbol: str, image: Image, mask: int, quality: Quality
    ) -> bytes:
        """A whole quote, as far as the mode's mask reaches."""
        ...

    def update_chunk(
        self, code: int, symbol: str, quote: Quote, mask: int, since: int, to: int
    ) -> bytes:
        """The fields in `mask` that changed after the sequence `since`, up to `to`."""
        ...

    def quality_chunk(self, code: int, symbol: str, quality: Quality) -> bytes:
        """How far a price may be trusted now."""
        ...

    def framer(
        self, kind: str, sent_at_ms: int, received_at_ms: int, published_at_ms: int = 0
    ) -> Framer:
        """For the frequent messages of a tick (`image`, `update`, `quality`). Published at 0: not known, left out."""
        ...

    def message(self, message: Message) -> bytes:
        """A rare message."""
        ...

"""What an encoding must do. A row of a frequent message is encoded once (a chunk), a frame joins chunks."""

from collections.abc import Sequence
from typing import Protocol

from bse_shared.quotes.frame import Image
from bse_shared.quotes.quality import Quality
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.encodings.wire import Wire


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
        self, code: int, symbol: str, image: Image, mask: int, since: int
    ) -> bytes:
        """The fields in `mask` after the sequence `since`, up to the image's."""
        ...

    def quality_chunk(self, code: int, symbol: str, quality: Quality) -> bytes:
        """How far a price may be trusted now."""
        ...

    def frame(
        self,
        kind: str,
        sent_at_ms: int,
        received_at_ms: int,
        chunks: Sequence[bytes],
        published_at_ms: int = 0,
    ) -> bytes:
        """A frequent message (`image`, `update`, `quality`) of these chunks. Published at 0: not known, left out."""
        ...

    def message(self, message: Message) -> bytes:
        """A rare message."""
        ...

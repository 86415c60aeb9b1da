"""Keeps each answer's bytes for one tick, plain and gzipped, so each is made once."""

import gzip
from collections.abc import Callable


MIN_GZIP_BYTES = 1_024
GZIP_LEVEL = 1
MAX_BODIES = 2_048


class Body:
    """An answer's bytes; the gzipped form is made when first asked for."""

    __slots__ = ("_gzipped", "content_type", "raw")

    def __init__(self, raw: bytes, content_type: str) -> None:
        """Keep the plain bytes."""
        self.raw = raw
        self.content_type = content_type
        self._gzipped: bytes | None = None

    def encoded(self, accept_encoding: str) -> tuple[bytes, bool]:
        """Return the bytes to send and whether they are gzipped."""
        if "gzip" not in accept_encoding or len(self.raw) <= MIN_GZIP_BYTES:
            return self.raw, False
        if self._gzipped is None:
            self._gzipped = gzip.compress(self.raw, GZIP_LEVEL, mtime=0)
        return self._gzipped, True


class TickCache:
    """The bodies of the present tick, by request target."""

    def __init__(self) -> None:
        """Start empty."""
        self._tick = -1
        self._bodies: dict[str, Body] = {}

    def get(self, tick: int, target: str, make: Callable[[], Body]) -> Body:
        """Return the target's body at this tick, made at most once."""
        if tick != self._tick:
            self._tick = tick
            self._bodies.clear()
        body = self._bodies.get(target)
        if body is None:
            body = make()
            if len(self._bodies) < MAX_BODIES:
                self._bodies[target] = body
        return body

"""The rows of messages: what one receiver is owed, found from positions, and cut into frames."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bse_shared.quotes.frame import NO_IMAGE, Image
from bse_shared.quotes.position import START, Position
from bse_shared.quotes.quote_table import QuoteTable
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.hub.backlog import Backlog
from bse_ws_hub.hub.now import Now
from bse_ws_hub.hub.qualities import Qualities
from bse_ws_hub.hub.sessions import Group, Receivers, Session
from bse_ws_hub.hub.tape import Tape
from bse_ws_hub.hub.vector import has_reached
from bse_ws_hub.hub.wants import Want


QUOTES_PER_FRAME_MAX = 100
"""Images of many scrips are cut into several messages, so that no single one is huge."""

PORTION_BYTES = 64 * 1024
"""Who is owed more gets it in portions, each when it has read the last."""

CAUGHT_UP = 0.25
"""A client has read its last portion when its buffer is this empty; with more in it a client lags."""

BEHIND_MAX_MS = 5000
"""A replica that lost the bus has read the store again by then."""


Delivery = tuple[Receivers, bytes, int]
"""Who gets what: a ready frame, and how many quotes are in it. A plain tuple, for there are thousands in a tick."""


@dataclass(slots=True)
class Rows:
    """What one receiver gets now. `lost`: changes that it wanted one by one and gets merged. `size_bytes`: of images and updates.

    `received_at_ms`: the newest quote in it; `change_received_at_ms`: the newest change that came while it was here.
    """

    images: list[bytes] = field(default_factory=list)
    updates: list[bytes] = field(default_factory=list)
    qualities: list[bytes] = field(default_factory=list)
    lost: list[Message] = field(default_factory=list)
    received_at_ms: int = 0
    change_received_at_ms: int = 0
    size_bytes: int = 0

    def add_image(self, row: bytes) -> None:
        """One more."""
        self.images.append(row)
        self.size_bytes += len(row)

    def add_updates(self, rows: Sequence[bytes]) -> None:
        """Some more."""
        self.updates += rows
        self.size_bytes += sum(map(len, rows))

    def deliveries(
        self, to: Group | Session, codec: Codec, now: Now
    ) -> Iterator[Delivery]:
        """As frames: what was lost, then images, updates, qualities. Each is sent before the next one's ways are taken."""
        if self.lost:
            message = codec.message({"type": "lost", "quotes": self.lost})
            yield to.receivers, codec.wire(message), 0
        received_at_ms = self.received_at_ms or now.ms
        for start in range(0, len(self.images), QUOTES_PER_FRAME_MAX):
            part = self.images[start : start + QUOTES_PER_FRAME_MAX]
            framed = codec.framer("image", now.ms, received_at_ms, now.published_at_ms)
            yield to.receivers, codec.wire(framed(part, len(part))), len(part)
        if self.updates:
            framed = codec.framer("update", now.ms, received_at_ms, now.published_at_ms)
            count = len(self.updates)
            yield to.receivers, codec.wire(framed(self.updates, count)), count
        if self.qualities:
            framed = codec.framer("quality", now.ms, 0)
            count = len(self.qualities)
            yield to.receivers, codec.wire(framed(self.qualities, count)), count


@dataclass(slots=True)
class RowMaker:
    """Makes rows from the table as it is, and from what the tape remembers."""

    table: QuoteTable
    tape: Tape
    qualities: Qualities
    times_lost: int = 0

    def image(self, codec: Codec, code: int, want: Want, now: Now) -> bytes:
        """The scrip as it is. One without a quote yet has an image too, all null."""
        image = self.table.get(code) or NO_IMAGE
        held = image._replace(position=self.held(code, want.mask))
        symbol, quality = now.master.symbol_of(code), self.qualities.told(code, now)
        return codec.image_chunk(code, symbol, held, want.mask, quality)

    def quality(self, codec: Codec, code: int, now: Now) -> bytes:
        """How far the price may be trusted, as its watchers were last told."""
        quality = self.qualities.told(code, now)
        return codec.quality_chunk(code, now.master.symbol_of(code), quality)

    def held(self, code: int, mask: int) -> Position:
        """Where somebody stands who was sent everything of these fields."""
        if self.table.get(code) is None:
            return START
        return self.tape.stamps.newest(code, mask)

    def steps(
        self,
        codec: Codec,
        code: int,
        since: Position,
        mask: int,
        now: Now,
        base: int,
    ) -> list[bytes] | None:
        """Each change of these fields since a position; None where they are not all known any more."""
        steps = self.tape.history.after(code, since)
        if steps is None:
            return None
        rows, sequence = [], base
        symbol = now.master.symbol_of(code)
        for step in steps:
            changed = step.mask & mask
            if changed:
                image = step.image
                before, sequence = sequence, image.position.sequence
                row = codec.update_chunk(
                    code, symbol, image.quote, changed, before, sequence
                )
                rows.append(row)
        return rows

    def lost(self, code: int, since: Position, mask: int, now: Now) -> Message:
        """What is told of changes that come merged to somebody who wanted each."""
        self.times_lost += 1
        return {
            "symbol": now.master.symbol_of(code),
            "code": code,
            "from": since.sequence,
            "to": self.held(code, mask).sequence,
        }

    def owed(
        self,
        codec: Codec,
        backlog: Backlog,
        wants: dict[int, Want],
        codes: Iterable[int],
        now: Now,
        bytes_max: float = float("inf"),
    ) -> Rows:
        """What is pending of these scrips: merged or step by step, or an image where the epoch changed.

        Once there are `bytes_max`, the rest stays pending.
        """
        rows = Rows()
        for code in codes:
            if rows.size_bytes >= bytes_max:
                break
            image, want = self.table.get(code), wants.get(code)
            since = backlog.held.get(code, START)
            if self._waits(backlog, code, since, now):
                continue
            was_here = backlog.pending.pop(code, False)
            if image is None or want is None:
                continue
            newest, base = self.held(code, want.mask), since.sequence
            if code in backlog.unnumbered:
                backlog.unnumbered.discard(code)
                base = 0
            elif newest <= since <= image.position:
                if newest != since:
                    backlog.ahead[code] = since
                continue
            self.owe(rows, codec, code, image, want, since, now, base)
            backlog.held[code] = newest
            if want.interval_ms:
                backlog.next_ms[code] = now.ms + want.interval_ms
            rows.received_at_ms = max(rows.received_at_ms, image.changed_at_ms)
            if was_here:
                rows.change_received_at_ms = max(
                    rows.change_received_at_ms, image.changed_at_ms
                )
        return rows

    def _waits(self, backlog: Backlog, code: int, since: Position, now: Now) -> bool:
        """Whether the client comes from a replica that was ahead of us: what we have would take it back in time.

        Not for ever: nothing says that such a position exists.
        """
        if has_reached(self.table, code, since):
            backlog.waits_until_ms.pop(code, None)
            return False
        until_ms = now.ms + BEHIND_MAX_MS
        return now.ms < backlog.waits_until_ms.setdefault(code, until_ms)

    def owe(
        self,
        rows: Rows,
        codec: Codec,
        code: int,
        image: Image,
        want: Want,
        since: Position,
        now: Now,
        base: int,
    ) -> None:
        """Add what leads from `since` to the scrip as it is: steps, one merged update, or an image.

        `base`: what the first row says it follows. Where that is less, a row is owed even if nothing changed: by it the
        receiver learns the number.
        """
        if since.epoch != image.position.epoch or since > image.position:
            if want.every and since != START:
                rows.lost.append(self.lost(code, since, want.mask, now))
            rows.add_image(self.image(codec, code, want, now))
            return
        if want.every:
            steps = self.steps(codec, code, since, want.mask, now, base)
            if steps or (steps is not None and base == since.sequence):
                rows.add_updates(steps)
                return
            if steps is None:
                rows.lost.append(self.lost(code, since, want.mask, now))
        changed = self.tape.stamps.after(code, since.sequence) & want.mask
        if changed or base != since.sequence:
            to = self.held(code, want.mask).sequence
            symbol = now.master.symbol_of(code)
            row = codec.update_chunk(code, symbol, image.quote, changed, base, to)
            rows.add_updates((row,))

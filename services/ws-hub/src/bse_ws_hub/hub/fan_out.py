"""The flush tick: what changed since the last one, encoded once per distinct view, joined once per group.

Pure: `tick` decides and returns deliveries, the edge writes them.

Groups without limits are *in step*: an update says which position it follows, as last sent in that view; every
member holds at least that, because it was imaged when it came and got every tick's chunk since. Whoever is not in
step (a limited group, a session apart) has a backlog of positions and gets, when it is due, one merged update a
scrip. A quote that changed its epoch is sent as an image: updates never cross an epoch.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from bse_shared.quotes.frame import NO_IMAGE, Image
from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.position import START, Position
from bse_shared.quotes.quality import Quality, quality_of
from bse_shared.quotes.quote_table import (
    ALL_FIELDS,
    Changes,
    QuoteTable,
    add_changes,
)
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.hub.backlog import Backlog
from bse_ws_hub.hub.hub import IMAGES_AT_ONCE, Group, Hub, Session, View
from bse_ws_hub.hub.stamps import FieldStamps
from bse_ws_hub.hub.vector import vector_text
from bse_ws_hub.hub.wants import Want


QUOTES_PER_FRAME_MAX = 100
"""Images of many scrips are cut into several messages, so that no single one is huge."""


class Delivery(NamedTuple):
    """One payload for one or many sessions; `quotes` rows in it, the newest received at `received_at_ms`."""

    sessions: Collection[Session]
    payload: bytes
    quotes: int
    received_at_ms: int


class Now(NamedTuple):
    """What a tick needs to know of the world: the store's time, who the scrips are, whether the market is open."""

    ms: int
    master: InstrumentMaster
    market_open: bool


@dataclass(slots=True)
class _Rows:
    """What one receiver gets now."""

    images: list[bytes] = field(default_factory=list)
    updates: list[bytes] = field(default_factory=list)
    qualities: list[bytes] = field(default_factory=list)
    received_at_ms: int = 0


class FanOut:
    """Turns the table's changes into deliveries."""

    def __init__(self, hub: Hub, table: QuoteTable):
        self._hub = hub
        self._table = table
        self._dirty: Changes = {}
        self._stamps = FieldStamps()
        self._sent: dict[View, dict[int, Position]] = {}
        self._quality: dict[int, Quality] = {}
        self._vector = self._positions()

    @property
    def vector(self) -> str:
        """Where a client that is in step stands, after the last tick."""
        return vector_text(self._vector)

    def changed(self, changes: Changes) -> None:
        """The table changed."""
        add_changes(self._dirty, changes)

    def tick(self, now: Now, ready: Collection[Session] = ()) -> list[Delivery]:
        """Everything that is due now; `ready` are the sessions apart whose buffers have room."""
        dirty, self._dirty = self._dirty, {}
        for code, mask in dirty.items():
            image = self._table.get(code)
            if image is not None:
                self._stamps.changed(code, mask, image.position.sequence)
        deliveries: list[Delivery] = []
        for session in list(self._hub.apart.values()):
            deliveries += self._apart(session, dirty, now, may_send=session in ready)
        due, self._hub.due = self._hub.due, {}
        for session in due.values():
            deliveries += self._images_due(session, now)
        deliveries += self._in_step(dirty, now)
        for group in self._hub.limited.values():
            deliveries += self._limited(group, now)
        self._vector = self._positions()
        return deliveries

    def qualities(self, now: Now) -> list[Delivery]:
        """Tell the watchers of every scrip whose quality changed since last told."""
        found: dict[int, Quality] = {}
        groups: dict[Group, None] = {}
        changed: set[int] = set()
        watched = self._hub.watchers.keys() | self._hub.limited_watchers.keys()
        for code in watched:
            quality = found[code] = self._quality_now(code, now)
            if self._quality.get(code, quality) != quality:
                changed.add(code)
                self._requalify(code, quality, groups, now)
        for session in self._hub.apart.values():
            for code in session.wants:
                if code not in found:
                    found[code] = self._quality_now(code, now)
                    if self._quality.get(code, found[code]) != found[code]:
                        changed.add(code)
            if session.backlog is not None:
                session.backlog.requalified |= changed & session.wants.keys()
        self._quality = found
        return [
            delivery
            for group in groups
            for delivery in self._frames(
                group.members.values(),
                group.codec,
                _Rows(qualities=_drain(group.qualities)),
                now,
            )
        ]

    def _positions(self) -> list[Position]:
        return [self._table.position(shard) for shard in range(self._table.shards)]

    # In step.

    def _in_step(self, dirty: Changes, now: Now) -> Iterator[Delivery]:
        watchers, images = self._hub.watchers, self._table.images
        touched: list[Group] = []
        received_at_ms = 0
        for code, mask in dirty.items():
            image = images.get(code)
            if image is None:
                continue
            for group in self._hub.limited_watchers.get(code, ()):
                if mask == ALL_FIELDS or mask & group.wants[code].mask:
                    self._miss(group, code)
            views = watchers.get(code)
            if views is None:
                continue
            received_at_ms = max(received_at_ms, image.changed_at_ms)
            for view, groups in views.items():
                if mask == ALL_FIELDS or mask & view[1]:
                    self._chunk(code, image, mask, view, groups, touched, now)
        for group in touched:
            # A group that got images and updates stands here twice; the second time it is owed nothing.
            rows = _Rows(
                _drain(group.images), _drain(group.updates), [], received_at_ms
            )
            yield from self._frames(group.members.values(), group.codec, rows, now)

    def _miss(self, group: Group, code: int) -> None:
        if group.backlog is not None:
            group.backlog.miss(code)

    def _chunk(
        self,
        code: int,
        image: Image,
        mask: int,
        view: View,
        groups: list[Group],
        touched: list[Group],
        now: Now,
    ) -> None:
        """Encode one scrip's change for one view, for all groups in step that have it."""
        sent = self._sent.setdefault(view, {})
        since = sent.get(code)
        codec = groups[0].codec
        symbol = now.master.symbol_of(code)
        if mask == ALL_FIELDS or since is None or since.epoch != image.position.epoch:
            quality = self._known_quality(code, now)
            chunk = codec.image_chunk(code, symbol, image, view[1], quality)
            for group in groups:
                if not group.images:
                    touched.append(group)
                group.images.append(chunk)
        elif since < image.position:
            chunk = codec.update_chunk(
                code, symbol, image, mask & view[1], since.sequence
            )
            for group in groups:
                updates = group.updates
                if not updates:
                    touched.append(group)
                updates.append(chunk)
        sent[code] = image.position

    def _images_due(self, session: Session, now: Now) -> Iterator[Delivery]:
        """The first images of a session that follows its group already."""
        group = session.group
        rows = _Rows()
        for code, image in self._take_due(session, IMAGES_AT_ONCE):
            want = session.wants[code]
            sent = self._sent.setdefault((session.codec.chunks, want.mask), {})
            if code not in sent or sent[code].epoch != image.position.epoch:
                sent[code] = image.position
            if group is not None and group.backlog is not None:
                # The others may have less: the older position serves all.
                group.backlog.held.setdefault(code, image.position)
            rows.images.append(self._image_row(session.codec, code, image, want, now))
            rows.received_at_ms = max(rows.received_at_ms, image.changed_at_ms)
        yield from self._frames([session], session.codec, rows, now)

    # Not in step.

    def _limited(self, group: Group, now: Now) -> Iterator[Delivery]:
        backlog = group.backlog
        if backlog is None or now.ms < group.next_frame_ms or not backlog.pending:
            return
        rows = self._owed(group.codec, backlog, group.wants, backlog.due(now.ms), now)
        if rows.images or rows.updates:
            group.next_frame_ms = now.ms + group.interval_ms
            yield from self._frames(group.members.values(), group.codec, rows, now)

    def _apart(
        self, session: Session, dirty: Changes, now: Now, *, may_send: bool
    ) -> Iterator[Delivery]:
        backlog = session.backlog
        if backlog is None:
            return
        before = backlog.conflated
        for code in dirty.keys() & session.wants.keys():
            mask = dirty[code]
            if code not in session.images_due and (
                mask == ALL_FIELDS or mask & session.wants[code].mask
            ):
                self._missed(session, backlog, code)
        session.conflated += backlog.conflated - before
        if not may_send:
            return
        rows = _Rows()
        for code, image in self._take_due(session, IMAGES_AT_ONCE):
            backlog.imaged(code, image.position)
            want = session.wants[code]
            rows.images.append(self._image_row(session.codec, code, image, want, now))
        if not session.images_due:
            owed = self._owed(
                session.codec, backlog, session.wants, list(backlog.pending), now
            )
            rows.images += owed.images
            rows.updates = owed.updates
            rows.received_at_ms = owed.received_at_ms
            rows.qualities = self._quality_rows(session, backlog, now)
            self._hub.rejoin(session)
        yield from self._frames([session], session.codec, rows, now)

    def _missed(self, session: Session, backlog: Backlog, code: int) -> None:
        """Note the position that the client has when it first misses a change of the scrip."""
        if code not in backlog.held:
            view = (session.codec.chunks, session.wants[code].mask)
            backlog.held[code] = self._sent.get(view, {}).get(code, START)
        backlog.miss(code)

    def _owed(
        self,
        codec: Codec,
        backlog: Backlog,
        wants: dict[int, Want],
        codes: Iterable[int],
        now: Now,
    ) -> _Rows:
        """Merged updates (or images, where the epoch changed) of these pending scrips."""
        rows = _Rows()
        for code in codes:
            backlog.pending.pop(code, None)
            image, want = self._table.get(code), wants.get(code)
            if image is None or want is None:
                continue
            since = backlog.held.get(code, START)
            if since == image.position:
                continue
            if since.epoch != image.position.epoch or since > image.position:
                rows.images.append(self._image_row(codec, code, image, want, now))
            elif mask := self._stamps.after(code, since.sequence) & want.mask:
                rows.updates.append(
                    codec.update_chunk(
                        code, now.master.symbol_of(code), image, mask, since.sequence
                    )
                )
            backlog.held[code] = image.position
            if want.interval_ms:
                backlog.next_ms[code] = now.ms + want.interval_ms
            rows.received_at_ms = max(rows.received_at_ms, image.changed_at_ms)
        return rows

    # Qualities.

    def _requalify(
        self, code: int, quality: Quality, groups: dict[Group, None], now: Now
    ) -> None:
        symbol = now.master.symbol_of(code)
        watching = [
            *self._hub.watchers.get(code, {}).values(),
            *([g] for g in self._hub.limited_watchers.get(code, ())),
        ]
        for same_view in watching:
            chunk = same_view[0].codec.quality_chunk(code, symbol, quality)
            for group in same_view:
                group.qualities.append(chunk)
                groups[group] = None

    def _quality_rows(
        self, session: Session, backlog: Backlog, now: Now
    ) -> list[bytes]:
        return [
            session.codec.quality_chunk(
                code, now.master.symbol_of(code), self._known_quality(code, now)
            )
            for code in backlog.requalified
        ]

    def _known_quality(self, code: int, now: Now) -> Quality:
        """The quality that watchers were last told; found now for a scrip that nobody watched."""
        known = self._quality.get(code)
        if known is None:
            known = self._quality[code] = self._quality_now(code, now)
        return known

    def _quality_now(self, code: int, now: Now) -> Quality:
        image = self._table.get(code)
        confirmed_ms = self._table.confirmed_at_ms(code)
        return quality_of(
            image.quote.condition if image else None,
            now.ms - confirmed_ms if confirmed_ms else None,
            market_open=now.market_open,
        )

    # Rows and frames.

    def _take_due(self, session: Session, most: int) -> list[tuple[int, Image]]:
        """Up to `most` scrips whose image is due. One without a quote yet has an image too, all null."""
        codes = list(islice(session.images_due, most))
        for code in codes:
            del session.images_due[code]
        return [(code, self._table.get(code) or NO_IMAGE) for code in codes]

    def _image_row(
        self, codec: Codec, code: int, image: Image, want: Want, now: Now
    ) -> bytes:
        symbol = now.master.symbol_of(code)
        quality = self._known_quality(code, now)
        return codec.image_chunk(code, symbol, image, want.mask, quality)

    def _frames(
        self, sessions: Collection[Session], codec: Codec, rows: _Rows, now: Now
    ) -> Iterator[Delivery]:
        received_at_ms = rows.received_at_ms or now.ms
        for kind, chunks in (
            ("image", rows.images),
            ("update", rows.updates),
            ("quality", rows.qualities),
        ):
            size = QUOTES_PER_FRAME_MAX if kind == "image" else len(chunks) or 1
            for start in range(0, len(chunks), size):
                part = chunks[start : start + size]
                payload = codec.frame(kind, now.ms, received_at_ms, part)
                yield Delivery(
                    sessions,
                    payload,
                    len(part),
                    0 if kind == "quality" else received_at_ms,
                )


def _drain(chunks: list[bytes]) -> list[bytes]:
    drained = chunks[:]
    chunks.clear()
    return drained

"""Groups that get every tick: each changed scrip encoded once per distinct view, joined once per group."""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from bse_shared.quotes.frame import Image
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote_table import Changes, QuoteTable
from bse_ws_hub.encodings.codec import Codec, Framer
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.hub.now import Now
from bse_ws_hub.hub.rows import CAUGHT_UP, Delivery, RowMaker, Rows
from bse_ws_hub.hub.sessions import Group, Part, View
from bse_ws_hub.hub.tape import Tape
from bse_ws_hub.hub.wants import Want


ROW_BYTES_MAX = 200
"""Hardly an update is longer. A group that gets more rows than fit into a portion is served scrip by scrip."""

FEW = 4
"""Where so many times fewer scrips changed than a client has, those that changed are looked at."""

Since = dict[View, dict[int, Position]]
"""Where everybody in step stood before the tick, by view and changed scrip."""


@dataclass(slots=True)
class _Chunks:
    """One view's rows of this tick, by scrip. `steps` instead of `updates` where each change is wanted.

    `by_slot`: the updates once more, in the hub's slots; `slots`: which, as a bit set.
    """

    images: dict[int, bytes] = field(default_factory=dict)
    updates: dict[int, bytes] = field(default_factory=dict)
    by_slot: list[bytes] = field(default_factory=list)
    slots: int = 0
    steps: dict[int, list[bytes]] = field(default_factory=dict)
    lost: dict[int, Message] = field(default_factory=dict)
    received_at_ms: int = 0

    def gather(self, code: int, rows: Rows) -> None:
        """Add what there is of a scrip."""
        images, lost = self.images.get(code), self.lost.get(code)
        if lost is not None:
            rows.lost.append(lost)
        if images is not None:
            rows.add_image(images)
        update = self.updates.get(code)
        rows.add_updates(self.steps.get(code, ()) if update is None else (update,))


class InStep:
    """Makes the deliveries to groups in step out of what changed."""

    def __init__(
        self,
        hub: Hub,
        table: QuoteTable,
        tape: Tape,
        rows: RowMaker,
        portion_bytes: int,
    ):
        self._hub = hub
        self._groups = hub.groups
        self._table = table
        self._tape = tape
        self._rows = rows
        self._portion_bytes = portion_bytes
        self._rows_max = portion_bytes // ROW_BYTES_MAX

    def since(self, dirty: Changes) -> Since:
        """To be asked before the tape goes on."""
        newest = self._tape.stamps.newest
        return {
            view: {
                code: newest(code, view.mask)
                for code in dirty.keys() & by_code.keys()
                if dirty[code] & view.mask
            }
            for view, by_code in self._groups.watchers.items()
        }

    def deliveries(
        self, dirty: Changes, since: Since, now: Now
    ) -> Generator[Delivery, None, int]:
        """To be iterated to its end: all are counted as having got it.

        Returns when the newest of these changes was received; 0 without any.
        """
        made: dict[View, _Chunks] = {}
        for view, held in since.items():
            by_code = self._groups.watchers.get(view)
            if held and by_code is not None:
                made[view] = self._made(view, held, by_code, dirty, now)
        received_at_ms = max((m.received_at_ms for m in made.values()), default=0)
        portioned: dict[Group, None] = {}
        for view, chunks in made.items():
            watching = self._watching(view, since[view])
            if chunks.images or chunks.steps:
                portioned.update(watching)
            else:
                yield from self._in_one(
                    watching, chunks, portioned, received_at_ms, now
                )
        for group in portioned:
            yield from self._in_portions(group, made, since, received_at_ms, now)
        return received_at_ms

    def _in_one(
        self,
        watching: Collection[Group],
        chunks: _Chunks,
        portioned: dict[Group, None],
        received_at_ms: int,
        now: Now,
    ) -> Iterator[Delivery]:
        """One frame a group: the common case, and the hot path. The others are put into `portioned`."""
        framers: dict[Codec, Framer] = {}
        for group in watching:
            part, codec = group.only_part, group.codec
            if part is None:
                portioned[group] = None
                continue
            rows, count = self._updates(part, chunks)
            if not 0 < count <= self._rows_max:
                if count:
                    portioned[group] = None
                continue
            framed = framers.get(codec)
            if framed is None:
                framed = framers[codec] = codec.framer(
                    "update", now.ms, received_at_ms, now.published_at_ms
                )
            yield group.receivers, codec.wire(framed(rows, count)), count

    def _in_portions(
        self,
        group: Group,
        made: dict[View, _Chunks],
        since: Since,
        received_at_ms: int,
        now: Now,
    ) -> Iterator[Delivery]:
        """A group's rows of the tick, scrip by scrip: what takes a client too long to read must not pile up."""
        views = [(v, part.codes) for v, part in group.parts.items() if v in made]
        codes = [(v, code) for v, codes in views for code in codes if code in since[v]]
        rows = Rows(received_at_ms=received_at_ms)
        for number, (view, code) in enumerate(codes, start=1):
            made[view].gather(code, rows)
            if rows.size_bytes >= self._portion_bytes or number == len(codes):
                yield from rows.deliveries(group, group.codec, now)
                rows = Rows(received_at_ms=received_at_ms)
                self._leave_behind(group, codes[number:], since)

    def _leave_behind(
        self, group: Group, codes: list[tuple[View, int]], since: Since
    ) -> None:
        """Who has not read the last portion goes his own way with the rest."""
        if not codes:
            return
        for session in list(group.members.values()):
            if session.outlet.backlog() <= CAUGHT_UP:
                continue
            backlog = self._hub.set_apart(session)
            for view, code in codes:
                backlog.held[code] = since[view][code]
                backlog.miss(code, merged=False)

    def _watching(self, view: View, codes: Collection[int]) -> dict[Group, None]:
        """The groups that one of these scrips is of interest to, or all of the view, if that is less to look at."""
        by_code, viewers = self._groups.watchers[view], self._groups.viewers[view]
        found = [by_code[code] for code in codes if code in by_code]
        if sum(map(len, found)) >= len(viewers):
            return viewers
        watching: dict[Group, None] = {}
        for groups in found:
            watching.update(groups)
        return watching

    def _made(
        self,
        view: View,
        held: dict[int, Position],
        by_code: dict[int, dict[Group, None]],
        dirty: Changes,
        now: Now,
    ) -> _Chunks:
        """Each changed scrip encoded once for this view."""
        made, mask = _Chunks(), view.mask
        codec = next(iter(self._groups.viewers[view])).codec
        images, newest = self._table.images, self._tape.stamps.newest
        symbol_of, chunk = now.master.symbol_of, codec.update_chunk
        for code, position in held.items():
            image = images.get(code)
            if image is None or code not in by_code:
                continue
            made.received_at_ms = max(made.received_at_ms, image.changed_at_ms)
            if view.every or position.epoch != image.position.epoch:
                self._make_owed(made, codec, view, code, image, position, now)
            else:
                made.updates[code] = chunk(
                    code,
                    symbol_of(code),
                    image.quote,
                    dirty[code] & mask,
                    position.sequence,
                    newest(code, mask).sequence,
                )
        return made

    def _make_owed(
        self,
        made: _Chunks,
        codec: Codec,
        view: View,
        code: int,
        image: Image,
        since: Position,
        now: Now,
    ) -> None:
        rows = Rows()
        want = Want(view.mask, every=view.every)
        self._rows.owe(rows, codec, code, image, want, since, now, since.sequence)
        for row in rows.images:
            made.images[code] = row
        for lost in rows.lost:
            made.lost[code] = lost
        made.steps[code] = rows.updates

    def _updates(self, part: Part, made: _Chunks) -> tuple[Sequence[bytes], int]:
        """The rows of a part's scrips, by the shorter way, empty ones among them, and how many are not."""
        if len(made.updates) * FEW < len(part.codes):
            codes = part.codes
            rows = [row for code, row in made.updates.items() if code in codes]
            return rows, len(rows)
        if not made.by_slot:
            slots = self._groups.slots
            made.by_slot = [b""] * len(slots)
            for code, row in made.updates.items():
                made.by_slot[slots[code]] = row
                made.slots |= 1 << slots[code]
        return part.pick(made.by_slot), (part.slots & made.slots).bit_count()

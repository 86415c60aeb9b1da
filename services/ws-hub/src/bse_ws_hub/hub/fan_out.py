"""The flush tick: what changed since the last one, encoded once per distinct view, joined once per group.

Pure: `tick` decides and yields deliveries, the edge writes them.

Groups without limits are *in step*: an update says which position it follows, the newest one of that view before the
tick; every member holds it, because it was imaged when it came and got every tick's chunk since. Whoever is not in
step (a limited group, a session apart) has a backlog of positions and gets, when it is due, what it lacks. A quote
that changed its epoch is sent as an image: updates never cross an epoch.
"""

from collections.abc import Collection, Iterator

from bse_shared.quotes.position import Position
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote_table import Changes, QuoteTable
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.hub.digest import Ahead, Digests
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.hub.in_step import InStep
from bse_ws_hub.hub.now import Now
from bse_ws_hub.hub.qualities import Qualities
from bse_ws_hub.hub.rows import PORTION_BYTES, Delivery, RowMaker, Rows
from bse_ws_hub.hub.sessions import Group, Session
from bse_ws_hub.hub.tape import Tape
from bse_ws_hub.hub.vector import vector_text
from bse_ws_hub.hub.wants import Want


HISTORY_STEPS_MAX = 50_000


class FanOut:
    """Turns the table's changes into deliveries."""

    def __init__(
        self,
        hub: Hub,
        table: QuoteTable,
        history_steps_max: int = HISTORY_STEPS_MAX,
        portion_bytes: int = PORTION_BYTES,
    ):
        self.received_at_ms = 0
        """When the newest change that went out in the last tick was received; 0 where none did."""
        self._hub = hub
        self._groups = hub.groups
        self._table = table
        self._tape = Tape(table, history_steps_max)
        self._qualities = Qualities(table)
        self._rows = RowMaker(table, self._tape, self._qualities)
        self._conflated = 0
        self._portion_bytes = portion_bytes
        self._in_step = InStep(hub, table, self._tape, self._rows, portion_bytes)
        self._digests = Digests(self._rows.held)
        self._vector = self._positions()

    def digest(self, session: Session) -> int | None:
        """What the client must find of its own state; None while something is withheld from it."""
        group = session.group
        if group is None or session.images_due:
            return None
        if group.backlog is not None and group.backlog.pending:
            return None
        if not self._tape.gone.isdisjoint(group.wants):
            return None  # some have the last quote of what is gone, some never saw it
        found = self._digests.of(
            (v.mask, part.codes) for v, part in group.parts.items()
        )
        ahead = self._still_ahead(session)
        return self._digests.of_one_ahead(found, ahead) if ahead else found

    @property
    def vector(self) -> str:
        """Where a client that is in step stands, after the last tick."""
        return vector_text(self._vector)

    def take_lost(self) -> int:
        """How often, since last asked, somebody who wants each change got some merged."""
        lost, self._rows.times_lost = self._rows.times_lost, 0
        return lost

    def take_conflated(self) -> int:
        """How many updates, since last asked, were merged because somebody did not keep up."""
        conflated, self._conflated = self._conflated, 0
        return conflated

    def changed(self, changes: Changes) -> None:
        """The table changed."""
        self._tape.changed(changes)

    def tick(self, now: Now, ready: Collection[Session] = ()) -> Iterator[Delivery]:
        """Everything that is due now; `ready` are the sessions apart whose buffers have room.

        To be iterated to its end: who is in step is counted as having got it all.
        """
        dirty = self._tape.dirty
        for session in self._hub.apart.values():
            self._note_missed(session, dirty)
        for group in self._groups.limited.values():
            self._note_due(group, dirty)
        since = self._in_step.since(dirty)
        self._tape.advance()
        self._digests.changed(dirty)
        due, self._hub.due = self._hub.due, {}
        for session in due.values():
            yield from self._images_due(session, now)
        self.received_at_ms = yield from self._in_step.deliveries(dirty, since, now)
        for group in self._groups.limited.values():
            yield from self._limited(group, now)
        # Last: who follows its group again from now on has got this tick already.
        for session in list(self._hub.apart.values()):
            if session in ready:
                yield from self._apart(session, now)
        self._vector = self._positions()

    def qualities(self, now: Now) -> Iterator[Delivery]:
        """Tell the watchers of every scrip whose quality changed since last told."""
        changed = self._qualities.changed(self._hub.watched(), now)
        if not changed:
            return
        groups: dict[Group, None] = {}
        for by_code in self._groups.watchers.values():
            for code in changed.keys() & by_code.keys():
                self._requalify(code, changed[code], by_code[code], now)
                groups.update(by_code[code])
        for code in changed.keys() & self._groups.limited_watchers.keys():
            for group in self._groups.limited_watchers[code]:
                self._requalify(code, changed[code], [group], now)
                groups[group] = None
        for session in self._hub.apart.values():
            if session.backlog is not None:
                session.backlog.requalified |= changed.keys() & session.wants.keys()
        for group in groups:
            rows, group.qualities = Rows(qualities=group.qualities), []
            yield from rows.deliveries(group, group.codec, now)

    def _positions(self) -> list[Position]:
        return [self._table.position(shard) for shard in range(self._table.shards)]

    def _still_ahead(self, session: Session) -> list[Ahead]:
        """What it brought from a replica that counted further, and holds as it was counted there."""
        found = []
        for code, position in list(session.ahead.items()):
            want = session.wants.get(code)
            if want is None or self._rows.held(code, want.mask) >= position:
                del session.ahead[code]
            else:
                found.append((code, want.mask, position))
        return found

    # Before the tape goes on: who lacks what, and where all others stand.

    def _note_missed(self, session: Session, dirty: Changes) -> None:
        backlog = session.backlog
        if backlog is None:
            return
        before = backlog.conflated
        for code in dirty.keys() & session.wants.keys():
            want = session.wants[code]
            if code not in session.images_due and dirty[code] & want.mask:
                if code not in backlog.held:
                    backlog.held[code] = self._rows.held(code, want.mask)
                backlog.miss(code, merged=not want.every)
        session.conflated += backlog.conflated - before
        self._conflated += backlog.conflated - before

    def _note_due(self, group: Group, dirty: Changes) -> None:
        backlog = group.backlog
        if backlog is None:
            return
        for code in dirty.keys() & group.wants.keys():
            want = group.wants[code]
            if dirty[code] & want.mask:
                if code not in backlog.held:  # its members were in step until now
                    backlog.held[code] = self._rows.held(code, want.mask)
                backlog.miss(code, merged=not want.every)

    def _images_due(self, session: Session, now: Now) -> Iterator[Delivery]:
        """The first images of a session that follows its group already."""
        group, rows = session.group, Rows()
        codes, session.images_due = session.images_due, {}
        for code in codes:
            want = session.wants[code]
            if group is not None and group.backlog is not None:
                held = self._rows.held(code, want.mask)
                if len(group.members) == 1:
                    group.backlog.imaged(code, held)
                else:  # the others may have less: the older position serves all
                    group.backlog.held.setdefault(code, held)
            session.ahead.pop(code, None)
            self._add_image(rows, session.codec, code, want, now)
        yield from rows.deliveries(session, session.codec, now)

    # Not in step.

    def _limited(self, group: Group, now: Now) -> Iterator[Delivery]:
        backlog = group.backlog
        if backlog is None or now.ms < group.next_frame_ms or not backlog.pending:
            return
        due = backlog.due(now.ms)
        rows = self._rows.owed(group.codec, backlog, group.wants, due, now)
        if rows.images or rows.updates:
            group.next_frame_ms = now.ms + group.interval_ms
            self._goes_out(rows)
            yield from rows.deliveries(group, group.codec, now)

    def _apart(self, session: Session, now: Now) -> Iterator[Delivery]:
        """What a session apart gets, whose buffer has room; owed nothing more, it follows its group again."""
        backlog = session.backlog
        if backlog is None:
            return
        codec, rows = session.codec, Rows()
        while session.images_due and rows.size_bytes < self._portion_bytes:
            code = next(iter(session.images_due))
            del session.images_due[code]
            backlog.imaged(code, self._rows.held(code, session.wants[code].mask))
            session.ahead.pop(code, None)
            self._add_image(rows, codec, code, session.wants[code], now)
        yield from rows.deliveries(session, codec, now)
        if session.images_due:
            return
        left = self._portion_bytes - rows.size_bytes
        pending = list(backlog.pending)
        owed = self._rows.owed(codec, backlog, session.wants, pending, now, left)
        owed.qualities = [
            self._quality_row(codec, code, self._qualities.told(code, now), now)
            for code in backlog.requalified
        ]
        backlog.requalified.clear()
        if not backlog.pending:
            self._hub.rejoin(session)
        self._goes_out(owed)
        yield from owed.deliveries(session, codec, now)

    def _goes_out(self, rows: Rows) -> None:
        self.received_at_ms = max(self.received_at_ms, rows.change_received_at_ms)

    def _add_image(
        self, rows: Rows, codec: Codec, code: int, want: Want, now: Now
    ) -> None:
        rows.add_image(self._rows.image(codec, code, want, now))
        image = self._table.get(code)
        if image is not None:
            rows.received_at_ms = max(rows.received_at_ms, image.changed_at_ms)

    # Qualities.

    def _requalify(
        self, code: int, quality: Quality, groups: Collection[Group], now: Now
    ) -> None:
        chunk = self._quality_row(next(iter(groups)).codec, code, quality, now)
        for group in groups:
            group.qualities.append(chunk)

    def _quality_row(
        self, codec: Codec, code: int, quality: Quality, now: Now
    ) -> bytes:
        return codec.quality_chunk(code, now.master.symbol_of(code), quality)

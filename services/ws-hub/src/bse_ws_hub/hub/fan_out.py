"""The flush tick: what changed since the last one, encoded once per distinct view, joined once per group.

Pure: `tick` decides and yields deliveries, the edge writes them.

Groups without limits are *in step*: an update says which position it follows, the newest one of that view before the
tick; every member holds it, because it was imaged when it came and got every tick's chunk since. Whoever is not in
step (a limited group, a session apart) has a backlog of positions and gets, when it is due, what it lacks. A quote
that changed its epoch is sent as an image: updates never cross an epoch.
"""

from collections.abc import Collection, Iterator

from bse_shared.quotes.position import Position
from bse_shared.quotes.quote_table import Changes, QuoteTable
from bse_ws_hub.hub.digest import Ahead, Digests
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.hub.in_step import InStep
from bse_ws_hub.hub.now import Now
from bse_ws_hub.hub.out_of_step import OutOfStep
from bse_ws_hub.hub.qualities import Qualities
from bse_ws_hub.hub.rows import PORTION_BYTES, Delivery, RowMaker, Rows
from bse_ws_hub.hub.sessions import Group, Session
from bse_ws_hub.hub.tape import Tape
from bse_ws_hub.hub.vector import vector_text


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
        self._in_step = InStep(hub, table, self._tape, self._rows, portion_bytes)
        self._out_of_step = OutOfStep(hub, table, self._rows, portion_bytes)
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
        out_of_step = self._out_of_step
        conflated, out_of_step.conflated = out_of_step.conflated, 0
        return conflated

    def changed(self, changes: Changes) -> None:
        """The table changed."""
        self._tape.changed(changes)

    def tick(self, now: Now, ready: Collection[Session] = ()) -> Iterator[Delivery]:
        """Everything that is due now; `ready` are the sessions apart whose buffers have room.

        To be iterated to its end: who is in step is counted as having got it all.
        """
        dirty = self._tape.dirty
        self._out_of_step.note(dirty)
        since = self._in_step.since(dirty)
        self._tape.advance()
        self._digests.changed(dirty)
        yield from self._out_of_step.first_images(now)
        at_once_ms = yield from self._in_step.deliveries(dirty, since, now)
        later_ms = yield from self._out_of_step.deliveries(ready, now)
        self.received_at_ms = max(at_once_ms, later_ms)
        self._vector = self._positions()

    def qualities(self, now: Now) -> Iterator[Delivery]:
        """Tell the watchers of every scrip whose quality changed since last told."""
        changed = self._qualities.changed(self._hub.watched(), now)
        if not changed:
            return
        groups: dict[Group, None] = {}
        for by_code in self._groups.watchers.values():
            for code in changed & by_code.keys():
                self._requalify(code, by_code[code], now)
                groups.update(by_code[code])
        for code in changed & self._groups.limited_watchers.keys():
            for group in self._groups.limited_watchers[code]:
                self._requalify(code, [group], now)
                groups[group] = None
        for session in self._hub.apart.values():
            if session.backlog is not None:
                session.backlog.requalified |= changed & session.wants.keys()
        for group in groups:
            rows, group.qualities = Rows(qualities=group.qualities), []
            yield from rows.deliveries(group, group.codec, now)

    def _requalify(self, code: int, groups: Collection[Group], now: Now) -> None:
        chunk = self._rows.quality(next(iter(groups)).codec, code, now)
        for group in groups:
            group.qualities.append(chunk)

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

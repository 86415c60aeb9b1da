"""Who does not get every tick: a group with a rate, a session apart. What they miss is merged in a backlog, until it is sent."""

from collections.abc import Collection, Container, Generator, Iterator

from bse_shared.quotes.quote_table import Changes, QuoteTable
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.hub.backlog import Backlog
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.hub.now import Now
from bse_ws_hub.hub.rows import Delivery, RowMaker, Rows
from bse_ws_hub.hub.sessions import Group, Session
from bse_ws_hub.hub.wants import Want


class OutOfStep:
    """Makes the deliveries of first images, and of what is owed. `conflated`: updates merged because somebody did not keep up."""

    def __init__(self, hub: Hub, table: QuoteTable, rows: RowMaker, portion_bytes: int):
        self.conflated = 0
        self._hub = hub
        self._groups = hub.groups
        self._table = table
        self._rows = rows
        self._portion_bytes = portion_bytes

    def note(self, dirty: Changes) -> None:
        """Who lacks what from now on. To be called before the tape goes on."""
        for session in self._hub.apart.values():
            if (backlog := session.backlog) is not None:
                before = backlog.conflated
                self._note(backlog, session.wants, dirty, session.images_due)
                session.conflated += backlog.conflated - before
                self.conflated += backlog.conflated - before
        for group in self._groups.limited.values():
            if group.backlog is not None:
                self._note(group.backlog, group.wants, dirty)

    def first_images(self, now: Now) -> Iterator[Delivery]:
        """To the sessions that follow their groups already, and have had no image yet."""
        due, self._hub.due = self._hub.due, {}
        for session in due.values():
            yield from self._images_due(session, now)

    def deliveries(
        self, ready: Collection[Session], now: Now
    ) -> Generator[Delivery, None, int]:
        """What is due; `ready`: the sessions apart whose buffers have room.

        Returns when the newest of the changes in it was received; 0 without any.
        """
        received_at_ms = 0
        for group in self._groups.limited.values():
            rows = self._due(group, now)
            received_at_ms = max(received_at_ms, rows.change_received_at_ms)
            yield from rows.deliveries(group, group.codec, now)
        # Last: who follows its group again from now on has got this tick already.
        for session in list(self._hub.apart.values()):
            if session in ready:
                found_ms = yield from self._apart(session, now)
                received_at_ms = max(received_at_ms, found_ms)
        return received_at_ms

    # Private.

    def _note(
        self,
        backlog: Backlog,
        wants: dict[int, Want],
        dirty: Changes,
        images_due: Container[int] = (),
    ) -> None:
        """What changed, in a field that is wanted, is missed; unless an image of it is due."""
        for code in dirty.keys() & wants.keys():
            want = wants[code]
            if code in images_due or not dirty[code] & want.mask:
                continue
            if code not in backlog.held:  # in step with it until now
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

    def _due(self, group: Group, now: Now) -> Rows:
        """What a group with a rate gets now, if it is its turn."""
        backlog = group.backlog
        if backlog is None or now.ms < group.next_frame_ms or not backlog.pending:
            return Rows()
        due = backlog.due(now.ms)
        rows = self._rows.owed(group.codec, backlog, group.wants, due, now)
        if rows.images or rows.updates:
            group.next_frame_ms = now.ms + group.interval_ms
        return rows

    def _apart(self, session: Session, now: Now) -> Generator[Delivery, None, int]:
        """What a session apart gets, whose buffer has room; owed nothing more, it follows its group again."""
        backlog = session.backlog
        if backlog is None:
            return 0
        codec, rows = session.codec, Rows()
        while session.images_due and rows.size_bytes < self._portion_bytes:
            code = next(iter(session.images_due))
            del session.images_due[code]
            backlog.imaged(code, self._rows.held(code, session.wants[code].mask))
            session.ahead.pop(code, None)
            self._add_image(rows, codec, code, session.wants[code], now)
        yield from rows.deliveries(session, codec, now)
        if session.images_due:
            return 0
        left = self._portion_bytes - rows.size_bytes
        pending = list(backlog.pending)
        owed = self._rows.owed(codec, backlog, session.wants, pending, now, left)
        owed.qualities = [
            self._rows.quality(codec, code, now) for code in backlog.requalified
        ]
        backlog.requalified.clear()
        if not backlog.pending:
            self._hub.rejoin(session)
        yield from owed.deliveries(session, codec, now)
        return owed.change_received_at_ms

    def _add_image(
        self, rows: Rows, codec: Codec, code: int, want: Want, now: Now
    ) -> None:
        rows.add_image(self._rows.image(codec, code, want, now))
        image = self._table.get(code)
        if image is not None:
            rows.received_at_ms = max(rows.received_at_ms, image.changed_at_ms)

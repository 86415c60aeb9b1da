"""Who is here and wants what: sessions, and groups of sessions with equal wants, which share their frames.

Pure: knows no socket and no clock. A session is in exactly one group, or *apart*: while it reads too slowly, takes
many images, or has just come back. Apart, what it misses is merged in its own backlog. See `fan_out.py` for what
is sent.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.quotes.position import Position
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.encodings.messages import Rejection
from bse_ws_hub.hub.backlog import Backlog
from bse_ws_hub.hub.sessions import Group, GroupKey, Part, Session, View
from bse_ws_hub.hub.wants import Want


IMAGES_AT_ONCE = 100
"""A client that is owed more images is set apart and gets them in portions, so that no buffer grows huge."""


class Hub:
    """All sessions and groups, and for each scrip the groups that watch it.

    Groups in step stand in `watchers`, by view and scrip, so that a chunk is made once for all of them (`viewers`: by view); limited
    groups, which get their own merged updates, stand apart from them in `limited_watchers`. `slots` numbers the scrips
    that were ever wanted.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.apart: dict[str, Session] = {}
        self.due: dict[str, Session] = {}
        self.watchers: dict[View, dict[int, dict[Group, None]]] = {}
        self.viewers: dict[View, dict[Group, None]] = {}
        self.limited_watchers: dict[int, dict[Group, None]] = {}
        self.limited: dict[GroupKey, Group] = {}
        self.slots: dict[int, int] = {}
        self._groups: dict[GroupKey, Group] = {}

    @property
    def subscriptions(self) -> int:
        """How many (session, scrip) pairs there are."""
        return sum(len(session.wants) for session in self.sessions.values())

    @property
    def groups(self) -> int:
        """How many different subscriptions there are."""
        return len(self._groups)

    def watched(self) -> set[int]:
        """All scrips that somebody watches."""
        return set().union(
            *self.watchers.values(),
            self.limited_watchers,
            *(session.wants for session in self.apart.values()),
        )

    def join(self, session: Session) -> None:
        """A client came."""
        self.sessions[session.id] = session

    def leave(self, session: Session) -> None:
        """A client is gone."""
        self._ungroup(session)
        self.sessions.pop(session.id, None)
        self.apart.pop(session.id, None)
        self.due.pop(session.id, None)

    def subscribe(
        self,
        session: Session,
        symbols: Iterable[str],
        want: Want,
        master: InstrumentMaster,
    ) -> list[Rejection]:
        """Add scrips; each accepted one is owed an image."""
        rejected = []
        wants = dict(session.wants)
        for symbol in symbols:
            found = master.select(symbol)
            if not found:
                rejected.append(unknown_symbol(symbol))
            for instrument in found:
                if _has_room(session, wants, instrument.code):
                    wants[instrument.code] = want
                    session.images_due[instrument.code] = None
                else:
                    rejected.append(_too_many(session, instrument))
        self._set_wants(session, wants)
        return rejected

    def unsubscribe(
        self, session: Session, symbols: Iterable[str], master: InstrumentMaster
    ) -> list[Rejection]:
        """Remove scrips."""
        rejected = []
        wants = dict(session.wants)
        for symbol in symbols:
            found = master.select(symbol)
            if not found:
                rejected.append(unknown_symbol(symbol))
            removed = [wants.pop(i.code, None) for i in found]
            if found and not any(removed):
                why = "not in the subscription"
                rejected.append(Rejection(symbol, "not_subscribed", why))
        self._set_wants(session, wants)
        return rejected

    def resume(
        self,
        session: Session,
        positions: Iterable[tuple[int, Position]],
        want: Want,
        master: InstrumentMaster,
        *,
        numbered: bool = True,
    ) -> list[Rejection]:
        """Add scrips of which the client has these positions; what it lacks is decided by the next tick.

        `numbered`: it knows what it has by just these sequences.
        """
        rejected = []
        wants = dict(session.wants)
        held = {}
        for code, position in positions:
            instrument = master.by_code.get(code)
            if instrument is None:
                rejected.append(unknown_symbol(str(code)))
            elif not _has_room(session, wants, code):
                rejected.append(_too_many(session, instrument))
            else:
                wants[code] = want
                held[code] = position
        backlog = self.set_apart(session)
        self._set_wants(session, wants)
        for code, position in held.items():
            session.images_due.pop(code, None)
            session.ahead.pop(code, None)
            backlog.held[code] = position
            backlog.pending[code] = False
            backlog.requalified.add(code)  # it was told while the client was away
            if not numbered:
                backlog.unnumbered.add(code)
        return rejected

    def replace(self, session: Session, wants: dict[int, Want]) -> None:
        """Take a whole new set, as stored for the client; only what is new is owed an image."""
        kept = dict(list(wants.items())[: session.symbols_max])
        for code, want in kept.items():
            if session.wants.get(code) != want:
                session.images_due[code] = None
        self._set_wants(session, kept)

    def limit(self, session: Session, interval_ms: int) -> None:
        """Change the session's limit on all its updates, live."""
        session.interval_ms = interval_ms
        self._set_wants(session, session.wants)

    def recode(self, session: Session, codec: Codec) -> None:
        """The session's door writes otherwise from now on."""
        self.set_apart(session)  # by way of its own backlog it comes into its new group
        session.codec = codec

    def set_apart(self, session: Session) -> Backlog:
        """From now on what the client misses is merged for it alone."""
        if session.backlog is None:
            group = session.group
            session.backlog = Backlog()
            if group is not None and group.backlog is not None:
                session.backlog.held = dict(group.backlog.held)
                session.backlog.pending = dict(group.backlog.pending)
            self.apart[session.id] = session
            self.due.pop(session.id, None)
            self._ungroup(session)
        return session.backlog

    def rejoin(self, session: Session) -> None:
        """The client is owed nothing any more: it follows its group again."""
        backlog, session.backlog = session.backlog, None
        session.ahead |= backlog.ahead if backlog is not None else {}
        self.apart.pop(session.id, None)
        group = self._regroup(session)
        if group is not None and group.backlog is not None and backlog is not None:
            for code, position in backlog.held.items():
                group.backlog.held.setdefault(code, position)

    # Private.

    def _set_wants(self, session: Session, wants: dict[int, Want]) -> None:
        group = session.group
        if group is not None and group.backlog is not None and group.backlog.pending:
            self.set_apart(session)  # what the group still owes goes with the session
        session.wants = wants
        for gone in session.images_due.keys() - wants.keys():
            del session.images_due[gone]
        if session.backlog is not None:
            session.backlog.keep_only(set(wants))
            return
        self._ungroup(session)
        self._regroup(session)
        if len(session.images_due) > IMAGES_AT_ONCE:
            self.set_apart(session)
        elif session.images_due:
            self.due[session.id] = session

    def _regroup(self, session: Session) -> Group | None:
        if not session.wants:
            return None
        wants = frozenset(session.wants.items())
        key = (session.codec.name, session.interval_ms, wants)
        group = self._groups.get(key)
        if group is None:
            parts = self._parts(session.codec, session.wants)
            group = Group(session.codec, key, dict(session.wants), parts)
            self._groups[key] = group
            if session.interval_ms or any(w.interval_ms for _, w in wants):
                group.backlog = Backlog()
                self.limited[key] = group
            self._watch(group)
        group.members[session.id] = session
        group.members_changed()
        session.group = group
        return group

    def _ungroup(self, session: Session) -> None:
        group, session.group = session.group, None
        if group is None:
            return
        del group.members[session.id]
        group.members_changed()
        if group.members:
            return
        del self._groups[group.key]
        self.limited.pop(group.key, None)
        self._unwatch(group)

    def _parts(self, codec: Codec, wants: dict[int, Want]) -> dict[View, Part]:
        found: dict[View, dict[int, None]] = {}
        for code, want in wants.items():
            view = View(codec.chunks, want.mask, want.every)
            found.setdefault(view, {})[code] = None
        return {view: self._part(codes) for view, codes in found.items()}

    def _part(self, codes: dict[int, None]) -> Part:
        slots = [self.slots.setdefault(code, len(self.slots)) for code in codes]
        return Part(codes, _picker(slots), sum(1 << slot for slot in slots))

    def _watch(self, group: Group) -> None:
        if group.backlog is not None:
            for code in group.wants:
                self.limited_watchers.setdefault(code, {})[group] = None
            return
        for view, part in group.parts.items():
            self.viewers.setdefault(view, {})[group] = None
            by_code = self.watchers.setdefault(view, {})
            for code in part.codes:
                by_code.setdefault(code, {})[group] = None

    def _unwatch(self, group: Group) -> None:
        if group.backlog is not None:
            _remove(self.limited_watchers, group.wants, group)
            return
        for view, part in group.parts.items():
            by_code = self.watchers[view]
            _remove(by_code, part.codes, group)
            del self.viewers[view][group]
            if not by_code:
                del self.watchers[view], self.viewers[view]


def _remove(
    watchers: dict[int, dict[Group, None]], codes: Iterable[int], group: Group
) -> None:
    for code in codes:
        groups = watchers[code]
        del groups[group]
        if not groups:
            del watchers[code]


def _picker(slots: list[int]) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
    if len(slots) == 1:
        slot = slots[0]
        return lambda rows: (rows[slot],)
    return itemgetter(*slots)


def _has_room(session: Session, wants: dict[int, Want], code: int) -> bool:
    return code in wants or len(wants) < session.symbols_max


def _too_many(session: Session, instrument: Instrument) -> Rejection:
    return Rejection(
        instrument.symbol,
        "too_many_symbols",
        f"at most {session.symbols_max} symbols a connection",
    )


def unknown_symbol(symbol: str) -> Rejection:
    """The rejection of what names no scrip."""
    return Rejection(symbol, "unknown_symbol", "no scrip has this symbol, code or ISIN")

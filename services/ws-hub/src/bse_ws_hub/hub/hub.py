"""Who is here and wants what: sessions, and groups of sessions with equal wants, which share their frames.

Pure: knows no socket and no clock. Every session is in exactly one group (or, while it reads too slowly, in
none: then what it misses is merged for it). See `fan_out.py` for what is sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.modes import Mode
from bse_shared.quotes.position import Position
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.encodings.messages import Rejection


View = tuple[str, Mode]
"""What makes two subscriptions of a scrip share chunks: the chunk encoding and the mode."""


@dataclass(eq=False, slots=True)
class Session:
    """One connected client.

    `outlet` is the edge's handle. `images_due` are scrips whose image the next tick owes. While `lagging`,
    `missed` holds per scrip the position that the client has and the mask of fields that changed since, and
    `requalified` the scrips whose quality changed.
    """

    id: str
    codec: Codec
    outlet: Any
    client_id: str = ""
    wants: dict[int, Mode] = field(default_factory=dict)
    images_due: set[int] = field(default_factory=set)
    missed: dict[int, tuple[Position, int]] = field(default_factory=dict)
    requalified: set[int] = field(default_factory=set)
    lagging: bool = False
    conflated: int = 0
    group: "Group | None" = None


@dataclass(eq=False, slots=True)
class Group:
    """Sessions with the same codec and the same wants. The chunk lists are the tick's scratch."""

    codec: Codec
    key: tuple[str, frozenset[tuple[int, Mode]]]
    members: dict[str, Session] = field(default_factory=dict)
    updates: list[bytes] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)
    qualities: list[bytes] = field(default_factory=list)


class Hub:
    """All sessions and groups, and for each scrip the groups that watch it, by view."""

    def __init__(self, symbols_max: int):
        self.sessions: dict[str, Session] = {}
        self.watchers: dict[int, dict[View, list[Group]]] = {}
        self._groups: dict[tuple[str, frozenset[tuple[int, Mode]]], Group] = {}
        self._symbols_max = symbols_max

    @property
    def subscriptions(self) -> int:
        """How many (session, scrip) pairs there are."""
        return sum(len(session.wants) for session in self.sessions.values())

    @property
    def groups(self) -> int:
        """How many different subscriptions there are."""
        return len(self._groups)

    def join(self, session: Session) -> None:
        """A client came."""
        self.sessions[session.id] = session

    def leave(self, session: Session) -> None:
        """A client is gone."""
        self._ungroup(session)
        self.sessions.pop(session.id, None)

    def subscribe(
        self,
        session: Session,
        symbols: Iterable[str],
        mode: Mode,
        master: InstrumentMaster,
    ) -> list[Rejection]:
        """Add scrips; each accepted one is owed an image."""
        rejected = []
        wants = dict(session.wants)
        for symbol in symbols:
            instrument = master.find(symbol)
            if instrument is None:
                rejected.append(unknown_symbol(symbol))
            elif instrument.code not in wants and len(wants) >= self._symbols_max:
                rejected.append(
                    Rejection(
                        symbol,
                        "too_many_symbols",
                        f"at most {self._symbols_max} symbols a connection",
                    )
                )
            else:
                wants[instrument.code] = mode
                session.images_due.add(instrument.code)
        self._set_wants(session, wants)
        return rejected

    def unsubscribe(
        self, session: Session, symbols: Iterable[str], master: InstrumentMaster
    ) -> list[Rejection]:
        """Remove scrips."""
        rejected = []
        wants = dict(session.wants)
        for symbol in symbols:
            instrument = master.find(symbol)
            if instrument is None:
                rejected.append(unknown_symbol(symbol))
            elif wants.pop(instrument.code, None) is None:
                rejected.append(
                    Rejection(symbol, "not_subscribed", "not in the subscription")
                )
        self._set_wants(session, wants)
        return rejected

    def replace(self, session: Session, wants: dict[int, Mode]) -> None:
        """Take a whole new set, as stored for the client; only what is new is owed an image."""
        kept = dict(list(wants.items())[: self._symbols_max])
        session.images_due |= {
            code for code, mode in kept.items() if session.wants.get(code) != mode
        }
        self._set_wants(session, kept)

    def lag(self, session: Session) -> None:
        """The client does not keep up: from now on what it misses is merged."""
        session.lagging = True
        self._ungroup(session)

    def caught_up(self, session: Session) -> None:
        """The client reads again."""
        session.lagging = False
        self._regroup(session)

    def _set_wants(self, session: Session, wants: dict[int, Mode]) -> None:
        session.wants = wants
        session.images_due &= wants.keys()
        session.requalified &= wants.keys()
        for code in session.missed.keys() - wants.keys():
            del session.missed[code]
        if not session.lagging:
            self._ungroup(session)
            self._regroup(session)

    def _regroup(self, session: Session) -> None:
        if not session.wants:
            return
        key = (session.codec.name, frozenset(session.wants.items()))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(session.codec, key)
            for code, mode in session.wants.items():
                views = self.watchers.setdefault(code, {})
                views.setdefault((session.codec.chunks, mode), []).append(group)
        group.members[session.id] = session
        session.group = group

    def _ungroup(self, session: Session) -> None:
        group, session.group = session.group, None
        if group is None:
            return
        del group.members[session.id]
        if group.members:
            return
        del self._groups[group.key]
        for code, mode in group.key[1]:
            views = self.watchers[code]
            groups = views[group.codec.chunks, mode]
            groups.remove(group)
            if not groups:
                del views[group.codec.chunks, mode]
                if not views:
                    del self.watchers[code]


def unknown_symbol(symbol: str) -> Rejection:
    """The rejection of what names no scrip."""
    return Rejection(symbol, "unknown_symbol", "no scrip has this symbol, code or ISIN")

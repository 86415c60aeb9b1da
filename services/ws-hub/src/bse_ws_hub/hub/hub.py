"""Who is here and wants what: the sessions, and the commands that change what they want.

Pure: knows no socket and no clock. A session is in exactly one group, or *apart*: while it reads too slowly, takes
many images, or has just come back. Apart, what it misses is merged in its own backlog. See `fan_out.py` for what
is sent.
"""

from collections.abc import Iterable

from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.quotes.position import Position
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.encodings.messages import Rejection
from bse_ws_hub.hub.backlog import Backlog
from bse_ws_hub.hub.groups import Groups
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.hub.wants import Want


IMAGES_AT_ONCE = 100
"""A client that is owed more images is set apart and gets them in portions, so that no buffer grows huge."""


class Hub:
    """All sessions: `apart`, or in one of the `groups`. `due`: in a group, and owed first images."""

    def __init__(self) -> None:
        self.groups = Groups()
        self.sessions: dict[str, Session] = {}
        self.apart: dict[str, Session] = {}
        self.due: dict[str, Session] = {}

    @property
    def subscriptions(self) -> int:
        """How many (session, scrip) pairs there are."""
        return sum(len(session.wants) for session in self.sessions.values())

    def watched(self) -> set[int]:
        """All scrips that somebody watches."""
        apart = (session.wants for session in self.apart.values())
        return self.groups.watched().union(*apart)

    def join(self, session: Session) -> None:
        """A client came."""
        self.sessions[session.id] = session

    def leave(self, session: Session) -> None:
        """A client is gone."""
        self.groups.leave(session)
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
            self.groups.leave(session)
        return session.backlog

    def rejoin(self, session: Session) -> None:
        """The client is owed nothing any more: it follows its group again."""
        backlog, session.backlog = session.backlog, None
        session.ahead |= backlog.ahead if backlog is not None else {}
        self.apart.pop(session.id, None)
        group = self.groups.join(session)
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
        self.groups.leave(session)
        self.groups.join(session)
        if len(session.images_due) > IMAGES_AT_ONCE:
            self.set_apart(session)
        elif session.images_due:
            self.due[session.id] = session


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

"""Sessions with equal wants, which share their frames, and for each scrip the groups that watch it. Pure."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.hub.backlog import Backlog
from bse_ws_hub.hub.sessions import Group, GroupKey, Part, Session, View
from bse_ws_hub.hub.wants import Want


class Groups:
    """All groups. A session that follows one is its member.

    Groups in step stand in `watchers`, by view and scrip, so that a chunk is made once for all of them (`viewers`: by view); limited
    groups, which get their own merged updates, stand apart from them in `limited_watchers`. `slots` numbers the scrips
    that were ever wanted.
    """

    def __init__(self) -> None:
        self.watchers: dict[View, dict[int, dict[Group, None]]] = {}
        self.viewers: dict[View, dict[Group, None]] = {}
        self.limited_watchers: dict[int, dict[Group, None]] = {}
        self.limited: dict[GroupKey, Group] = {}
        self.slots: dict[int, int] = {}
        self._groups: dict[GroupKey, Group] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def watched(self) -> set[int]:
        """All scrips that a group watches."""
        return set().union(*self.watchers.values(), self.limited_watchers)

    def join(self, session: Session) -> Group | None:
        """The session follows its group from now on; None where it wants nothing."""
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

    def leave(self, session: Session) -> None:
        """The session follows no group any more."""
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

    # Private.

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

"""The set of this connection as the hub tells it, and what to ask for again after a reconnect.

Pure. Names that were never answered are kept as given; answered ones are kept by scrip code. What only
a client id brought in belongs to the hub, and is not asked for again.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from bse_client.answers import Resumed, Subscribed, Subscription, Unsubscribed
from bse_client.commands import Asked, HeldAt, Want, names_many


SetAnswer = Subscribed | Unsubscribed | Resumed


class Restore(NamedTuple):
    """What to ask for with one want: scrips that go on from a position, and names that begin anew."""

    want: Want
    positions: tuple[HeldAt, ...]
    names: tuple[str, ...]


@dataclass(slots=True)
class Subscriptions:
    """`held`: the hub's full set by code. `unanswered`: names asked for before any connection.

    `own`: what this program asked for. `restoring`: codes that a new connection is yet to have again.
    """

    held: dict[int, Subscription] = field(default_factory=dict)
    own: dict[int, Want] = field(default_factory=dict)
    unanswered: dict[str, Want] = field(default_factory=dict)
    restoring: set[int] = field(default_factory=set)
    _codes: dict[str, int] = field(default_factory=dict)

    def disconnected(self) -> None:
        """The hub's set ends with its connection; names stay known for looking up."""
        self.held = {}
        self.restoring = set(self.own)

    def receive(self, answer: SetAnswer, asked: Asked | None) -> None:
        """Take the full resulting set."""
        new = {item.code: item for item in answer.symbols}
        if asked and asked.op == "subscribe" and not asked.is_repeat:
            self._subscribed(asked, new)
        elif asked and asked.op == "unsubscribe":
            self._unsubscribed(asked, new)
        elif isinstance(answer, Resumed) and asked:
            self._resumed(asked, new)
        self.restoring -= new.keys()
        self.held = new
        names = {item.symbol.upper(): code for code, item in new.items()}
        known = {name: c for name, c in self._codes.items() if c in self.restoring}
        self._codes = known | names | {str(code): code for code in new}

    def restored(self) -> None:
        """All was asked for: what is not in the set now is looked up no more."""
        self.restoring = set()
        self._codes = {n: code for n, code in self._codes.items() if code in self.held}

    def code_of(self, name: str | int) -> int | None:
        """The code of a scrip of the set, by symbol or code in any case."""
        text = str(name).strip().upper()
        return self._codes.get(text)

    def restore(self, positions: Iterable[HeldAt] = ()) -> list[Restore]:
        """What to ask for on a new connection, by want, where `positions` are what we hold."""
        held = {position[0]: position for position in positions}
        wants = dict.fromkeys([*self.own.values(), *self.unanswered.values()])
        found: dict[Want, tuple[list[HeldAt], list[str]]]
        found = {want: ([], []) for want in wants}
        for code, want in self.own.items():
            if code in held:
                found[want][0].append(held[code])
            else:
                found[want][1].append(str(code))
        for name, want in self.unanswered.items():
            found[want][1].append(name)
        return [Restore(w, tuple(at), tuple(names)) for w, (at, names) in found.items()]

    def by_want(self, codes: Iterable[int]) -> list[tuple[Want, tuple[str, ...]]]:
        """Codes of the set, by what the hub sends of them: to ask for their images again."""
        found: defaultdict[Want, list[str]] = defaultdict(list)
        for code in codes:
            if item := self.held.get(code):
                found[Want.granted(item)].append(str(code))
        return [(want, tuple(names)) for want, names in found.items()]

    def _subscribed(self, asked: Asked, new: dict[int, Subscription]) -> None:
        named = set(asked.symbols)
        wide = any(map(names_many, named))
        for code, item in new.items():
            is_new = code not in self.held and code not in self.own
            is_changed = self.held.get(code) != item
            is_meant = named & {item.symbol.upper(), str(code), item.isin or ""}
            if is_new or is_meant or (wide and (is_changed or _fits(item, asked.want))):
                self.own[code] = Want.granted(item)
        for name in asked.symbols:
            self.unanswered.pop(name, None)

    def _resumed(self, asked: Asked, new: dict[int, Subscription]) -> None:
        for code, _, _ in asked.positions:
            if code not in new:
                self.own.pop(code, None)

    def _unsubscribed(self, asked: Asked, new: dict[int, Subscription]) -> None:
        for name in asked.symbols:
            self.unanswered.pop(name, None)
        for code in self.held.keys() - new.keys():
            self.own.pop(code, None)


def _fits(item: Subscription, want: Want | None) -> bool:
    return want is not None and Want.granted(item)._replace(max_hz=None) == (
        want._replace(max_hz=None)
    )

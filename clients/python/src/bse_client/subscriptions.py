"""The set of this connection as the hub tells it, and what to ask for again after a reconnect.

Pure. Names that were never answered are kept as given; answered ones are kept by scrip code. What only
a client id brought in belongs to the hub, and is not asked for again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bse_client.fields import Mode
from bse_client.messages import Limits, Subscribed, Subscription, Unsubscribed


_BYTES_AROUND = 128
_BYTES_A_NAME = 48  # 40 characters at most, quotes and a comma
BATCH_MAX = 200


class Asked(NamedTuple):
    """The command that an answer belongs to. is_repeat: only to get an image again."""

    op: str
    symbols: tuple[str, ...]
    mode: Mode | None = None
    is_repeat: bool = False


def normal(symbols: Iterable[str | int]) -> tuple[str, ...]:
    """Names as they are sent: text in capitals, each once, in order."""
    if isinstance(symbols, str):
        msg = f"symbols must be a list, not the text {symbols!r}"
        raise TypeError(msg)
    return tuple(dict.fromkeys(str(symbol).strip().upper() for symbol in symbols))


def batches(
    symbols: tuple[str, ...], limits: Limits | None
) -> Iterator[tuple[str, ...]]:
    """Names in portions that one message may carry."""
    room = limits.message_bytes - _BYTES_AROUND if limits else _BYTES_A_NAME * BATCH_MAX
    size = min(BATCH_MAX, max(1, room // _BYTES_A_NAME))
    for start in range(0, len(symbols), size):
        yield symbols[start : start + size]


@dataclass(slots=True)
class Subscriptions:
    """`held`: the hub's full set by code. `unanswered`: names asked for before any connection."""

    held: dict[int, Subscription] = field(default_factory=dict)
    own: dict[int, Mode] = field(default_factory=dict)
    unanswered: dict[str, Mode] = field(default_factory=dict)
    _codes: dict[str, int] = field(default_factory=dict)

    def disconnected(self) -> None:
        """The hub's set ends with its connection; names stay known for looking up."""
        self.held = {}

    def receive(self, answer: Subscribed | Unsubscribed, asked: Asked | None) -> None:
        """Take the full resulting set."""
        new = {item.code: item for item in answer.symbols}
        if asked and asked.op == "subscribe" and not asked.is_repeat:
            self._subscribed(asked, new)
        elif asked and asked.op == "unsubscribe":
            self._unsubscribed(asked, new)
        self.held = new
        self._codes = {item.symbol.upper(): code for code, item in new.items()}
        self._codes |= {str(code): code for code in new}

    def code_of(self, name: str | int) -> int | None:
        """The code of a scrip of the set, by symbol or code in any case."""
        text = str(name).strip().upper()
        return self._codes.get(text)

    def restore(self) -> list[tuple[Mode, tuple[str, ...]]]:
        """What to subscribe to on a new connection, by mode."""
        wanted: defaultdict[Mode, list[str]] = defaultdict(list)
        for code, mode in self.own.items():
            wanted[mode].append(str(code))
        for name, mode in self.unanswered.items():
            wanted[mode].append(name)
        return [(mode, tuple(names)) for mode, names in wanted.items()]

    def _subscribed(self, asked: Asked, new: dict[int, Subscription]) -> None:
        named = set(asked.symbols)
        for code, item in new.items():
            is_new = code not in self.held and code not in self.own
            if is_new or item.symbol.upper() in named or str(code) in named:
                self.own[code] = item.mode
        for name in asked.symbols:
            self.unanswered.pop(name, None)

    def _unsubscribed(self, asked: Asked, new: dict[int, Subscription]) -> None:
        for name in asked.symbols:
            self.unanswered.pop(name, None)
        for code in self.held.keys() - new.keys():
            self.own.pop(code, None)

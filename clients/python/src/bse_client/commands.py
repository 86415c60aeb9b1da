"""What a client may ask of the hub, as types and as the members that are sent. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Self

from bse_client.answers import CommandId, Limits, Subscription
from bse_client.fields import Mode


_BYTES_AROUND = 256
_BYTES_A_NAME = 48  # 40 characters at most, quotes and a comma
_BYTES_A_POSITION = 48  # a code, an epoch in ms, a sequence, brackets and commas
BATCH_MAX = 200
POSITIONS_MAX = 1_000

HeldAt = tuple[int, int, int]
"""A scrip code, and the epoch and sequence that we hold of it."""


class Want(NamedTuple):
    """What to send of a scrip: a mode or fields by name, so often at most, or every single change."""

    mode: Mode | None = None
    fields: tuple[str, ...] | None = None
    max_hz: float | None = None
    every: bool = False

    @classmethod
    def of(
        cls,
        mode: Mode | str | None = None,
        fields: Iterable[str] | None = None,
        max_hz: float | None = None,
        *,
        every: bool = False,
    ) -> Self:
        """A want that makes sense; ValueError for one that does not."""
        if isinstance(fields, str):
            msg = f"fields must be a list, not the text {fields!r}"
            raise TypeError(msg)
        if mode is not None and fields is not None:
            msg = "name a mode or fields, not both"
            raise ValueError(msg)
        if every and max_hz is not None:
            msg = "every change, or at most max_hz of them: not both"
            raise ValueError(msg)
        if fields is not None:
            return cls(None, tuple(dict.fromkeys(fields)), max_hz, every)
        return cls(Mode(mode or Mode.QUOTE), None, max_hz, every)

    @classmethod
    def granted(cls, item: Subscription) -> Self:
        """What the hub sends of a scrip of the set."""
        return cls(item.mode, item.fields, item.max_hz, item.every)

    def members(self) -> dict[str, object]:
        """The members of a command."""
        found: dict[str, object] = {}
        if self.fields is not None:
            found["fields"] = list(self.fields)
        elif self.mode is not None:
            found["mode"] = str(self.mode)
        if self.max_hz is not None:
            found["max_hz"] = self.max_hz
        if self.every:
            found["every"] = True
        return found


class Asked(NamedTuple):
    """The command that an answer belongs to. is_repeat: only to get an image again."""

    op: str
    symbols: tuple[str, ...] = ()
    want: Want | None = None
    positions: tuple[HeldAt, ...] = ()
    options: Mapping[str, object] = {}
    is_repeat: bool = False

    def members(self, command_id: CommandId) -> dict[str, object]:
        """The members that are sent."""
        found: dict[str, object] = {"op": self.op, "id": command_id}
        if self.symbols:
            found["symbols"] = list(self.symbols)
        if self.positions:
            found["positions"] = [list(position) for position in self.positions]
        if self.want:
            found |= self.want.members()
        return {**found, **self.options}


def normal(symbols: Iterable[str | int]) -> tuple[str, ...]:
    """Names as they are sent: text in capitals, each once, in order."""
    if isinstance(symbols, str):
        msg = f"symbols must be a list, not the text {symbols!r}"
        raise TypeError(msg)
    return tuple(dict.fromkeys(str(symbol).strip().upper() for symbol in symbols))


def names_many(symbol: str) -> bool:
    """Whether a name stands for several scrips: `index:SENSEX`, `group:A`, `*`."""
    return symbol == "*" or ":" in symbol


def batches(
    symbols: tuple[str, ...], limits: Limits | None
) -> Iterator[tuple[str, ...]]:
    """Names in portions that one message may carry."""
    size = _portion(limits, _BYTES_A_NAME, BATCH_MAX)
    for start in range(0, len(symbols), size):
        yield symbols[start : start + size]


def position_batches(
    positions: tuple[HeldAt, ...], limits: Limits | None
) -> Iterator[tuple[HeldAt, ...]]:
    """Positions in portions that one message may carry."""
    size = _portion(limits, _BYTES_A_POSITION, POSITIONS_MAX)
    for start in range(0, len(positions), size):
        yield positions[start : start + size]


def _portion(limits: Limits | None, bytes_each: int, most: int) -> int:
    if limits is None or limits.message_bytes is None:
        return BATCH_MAX
    room = limits.message_bytes - _BYTES_AROUND
    return min(most, max(1, room // bytes_each))

"""Who follows the market: sessions, and groups of sessions with equal wants, which share their frames. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bse_shared.quotes.position import Position
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.hub.backlog import Backlog
from bse_ws_hub.hub.wants import Want


class View(NamedTuple):
    """What makes two subscriptions of a scrip share chunks."""

    chunks: str
    mask: int
    every: bool


class Part(NamedTuple):
    """The scrips that a group has in one view. `pick` takes what stands in their slots, in one go; `slots`: as a bit set."""

    codes: dict[int, None]
    pick: Callable[[Sequence[bytes]], tuple[bytes, ...]]
    slots: int


Send = Callable[[bytes], int]
"""Takes what it can of one frame at once, and says how many bytes; an OSError where it takes none."""


class WayOut(Protocol):
    """How frames leave to one client. Nothing waits."""

    @property
    def send(self) -> Send:
        """The fast way. What it leaves is for `write`."""
        ...

    @property
    def write(self) -> Callable[[bytes], object]:
        """The sure way: takes the whole frame, behind what it took before."""
        ...

    def backlog(self) -> float:
        """How full the client's buffer is: 0..1 and beyond, 1 meaning full."""
        ...


GroupKey = tuple[str, int, frozenset[tuple[int, Want]]]


class Receivers(NamedTuple):
    """Who gets a frame, and the fast ways to them in the same order: for this frame only, they may change with it."""

    sessions: Sequence["Session"]
    sends: Sequence[Send]


@dataclass(eq=False, slots=True)
class Session:
    """One connected client. `interval_ms` is its own limit on all updates."""

    id: str
    codec: Codec
    outlet: WayOut
    client_id: str = ""
    symbols_max: int = 10_000
    wants: dict[int, Want] = field(default_factory=dict)
    interval_ms: int = 0
    images_due: dict[int, None] = field(default_factory=dict)
    backlog: Backlog | None = None
    conflated: int = 0
    group: "Group | None" = None
    ahead: dict[int, Position] = field(default_factory=dict)

    @property
    def apart(self) -> bool:
        """Whether the session does not follow a group now."""
        return self.backlog is not None

    @property
    def in_step(self) -> bool:
        """Whether it gets every tick, so that it holds all that was sent."""
        return self.group is not None and self.group.backlog is None

    @property
    def receivers(self) -> Receivers:
        """The session alone."""
        return Receivers((self,), (self.outlet.send,))

    def rewired(self) -> None:
        """Its outlet sends another way from now on."""
        if self.group is not None:
            self.group.members_changed()


@dataclass(eq=False, slots=True)
class Group:
    """Sessions with the same codec, wants and limits.

    `parts`: the scrips by view. `qualities` is scratch. `backlog` is set where updates are limited: the group then
    gets what is pending when it is due.
    """

    codec: Codec
    key: GroupKey
    wants: dict[int, Want]
    parts: dict[View, "Part"]
    members: dict[str, Session] = field(default_factory=dict)
    qualities: list[bytes] = field(default_factory=list)
    backlog: Backlog | None = None
    next_frame_ms: float = 0.0
    only_part: "Part | None" = field(init=False)
    _receivers: Receivers | None = None

    def __post_init__(self) -> None:
        """Nearly all groups have one mode: found once, not in every tick."""
        self.only_part = (
            next(iter(self.parts.values())) if len(self.parts) == 1 else None
        )

    @property
    def interval_ms(self) -> int:
        """The members' own limit on all updates."""
        return self.key[1]

    @property
    def receivers(self) -> Receivers:
        """The members: looked up once, not for each frame."""
        if self._receivers is None:
            sessions = tuple(self.members.values())
            self._receivers = Receivers(sessions, [s.outlet.send for s in sessions])
        return self._receivers

    def members_changed(self) -> None:
        """Somebody came, left, or sends another way."""
        self._receivers = None

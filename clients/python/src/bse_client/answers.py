"""What the hub answers to commands, as types: the full resulting set, what was granted, what was refused."""

from dataclasses import dataclass

from bse_client.fields import Mode


CommandId = int | str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the hub accepts of you. None: the hub did not say."""

    symbols: int
    message_bytes: int | None = None
    commands_per_s: float | None = None
    connections: int | None = None
    all_symbols: bool | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who you are to the hub. `expires_at_ms`: when your token ends (epoch ms), if it does."""

    subject: str
    role: str
    expires_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One scrip that this connection receives: in a mode or with these `fields`.

    max_hz: the granted limit of updates a second, None for none. every: no change is merged.
    """

    symbol: str
    code: int
    mode: Mode | None = None
    isin: str | None = None
    fields: tuple[str, ...] | None = None
    max_hz: float | None = None
    every: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """One name that the hub did not carry out, spelled as you sent it."""

    symbol: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The full resulting set, and what was rejected. Without an id nobody here asked for it."""

    id: CommandId | None
    symbols: tuple[Subscription, ...]
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """The full resulting set, and what was rejected."""

    id: CommandId | None
    symbols: tuple[Subscription, ...]
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Resumed:
    """The full set after a return, and the codes that go on from your position or begin anew."""

    id: CommandId | None
    symbols: tuple[Subscription, ...]
    rejected: tuple[Rejection, ...]
    resumed: tuple[int, ...]
    re_imaged: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RateGranted:
    """At most so many update messages a second on this connection; None: no limit."""

    id: CommandId | None
    max_hz: float | None


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The hub took your token."""

    id: CommandId | None
    identity: Identity
    limits: Limits


@dataclass(frozen=True, slots=True)
class HeartbeatGranted:
    """How often heartbeats come from now on, and whether with a digest."""

    id: CommandId | None
    interval_ms: int
    digest: bool


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping."""

    id: CommandId | None
    server_time_ms: int


@dataclass(frozen=True, slots=True)
class HubError:
    """A command that was not carried out. An event of the stream if nobody waits for it."""

    id: CommandId | None
    reason: str
    message: str


Answer = (
    Subscribed
    | Unsubscribed
    | Resumed
    | RateGranted
    | Authenticated
    | HeartbeatGranted
    | Pong
    | HubError
)

"""What the hub may say, as types. The same whichever encoding carried it."""

from dataclasses import dataclass

from bse_client.fields import Mode, Quality
from bse_client.quote import Level


Value = int | str | tuple[Level, ...] | None
"""A field's value: paise, a count, a time, a name, or a side of the order book."""

Fields = dict[str, Value]
"""Values by attribute of `Quote` (`last_paise`, `volume`, …)."""

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
class Welcome:
    """The first message of a connection. identity None: nobody in particular, or not known yet."""

    protocol: int
    session: str
    server_time_ms: int
    heartbeat_interval_ms: int
    limits: Limits
    identity: Identity | None = None


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
class QuoteImage:
    """The whole of one quote in your mode; fields that are not there are unknown."""

    code: int
    epoch: int
    sequence: int
    changed_at_ms: int
    quality: Quality
    fields: Fields


@dataclass(frozen=True, slots=True)
class Image:
    """Whole quotes."""

    sent_at_ms: int
    received_at_ms: int
    quotes: tuple[QuoteImage, ...]
    published_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class QuoteUpdate:
    """The fields of one quote that changed after `from_sequence` up to `to_sequence`."""

    code: int
    from_sequence: int
    to_sequence: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class Update:
    """Changed fields."""

    sent_at_ms: int
    received_at_ms: int
    quotes: tuple[QuoteUpdate, ...]
    published_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class QuoteQuality:
    """The new quality of one scrip."""

    code: int
    quality: Quality


@dataclass(frozen=True, slots=True)
class Qualities:
    """New qualities; prices stay what they are."""

    sent_at_ms: int
    quotes: tuple[QuoteQuality, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """How the exchange answers: state `ok`, `failing`, `closed` or `unknown`."""

    state: str
    source: str | None
    age_ms: int | None


@dataclass(frozen=True, slots=True)
class MarketSession:
    """What the market is doing."""

    phase: str
    is_open: bool
    reason: str
    trading_day: str | None
    next_change_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Every second: how long live prices may be shown as live. Also an event of the stream.

    `conflated` counts the updates that the hub merged for you because you read slowly. `digest`: the hub's
    check sum over what you must hold by now, if you asked for it and nothing is withheld from you.
    """

    server_time_ms: int
    live_for_ms: int
    feed: Feed
    session: MarketSession
    conflated: int
    digest: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A word of the hub that needs no answer. Also an event of the stream.

    reason: `slow_reader` or `keeps_up_again` (with the `max_hz` that you get, and `conflated`), or
    `token_expiring` (with `expires_at_ms`, epoch ms).
    """

    reason: str
    max_hz: float | None = None
    conflated: int | None = None
    expires_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LostChanges:
    """Changes of one scrip, asked for with `every`, after `from_sequence` up to `to_sequence` come merged."""

    symbol: str
    code: int
    from_sequence: int
    to_sequence: int


@dataclass(frozen=True, slots=True)
class Lost:
    """What can no longer be told one by one."""

    quotes: tuple[LostChanges, ...]


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


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The hub closes this connection next."""

    reason: str
    reconnect: bool
    after_ms: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type of message that only a newer hub knows: passed over."""

    type: str


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
Message = (
    Answer
    | Welcome
    | Image
    | Update
    | Qualities
    | Heartbeat
    | Notice
    | Lost
    | Goodbye
    | Unknown
)

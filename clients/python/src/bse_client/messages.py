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
    """What the hub accepts on one connection."""

    symbols: int
    message_bytes: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first message of a connection."""

    protocol: int
    session: str
    server_time_ms: int
    heartbeat_interval_ms: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Subscription:
    """One scrip that this connection receives."""

    symbol: str
    code: int
    mode: Mode


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

    `conflated` counts the updates that the hub merged for you because you read slowly.
    """

    server_time_ms: int
    live_for_ms: int
    feed: Feed
    session: MarketSession
    conflated: int


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


Answer = Subscribed | Unsubscribed | Pong | HubError
Message = (
    Welcome
    | Subscribed
    | Unsubscribed
    | Image
    | Update
    | Qualities
    | Heartbeat
    | Pong
    | HubError
    | Goodbye
)

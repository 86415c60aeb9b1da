"""What the hub may say, as types. The same whichever encoding carried it."""

from dataclasses import dataclass

from bse_client.answers import Answer, Identity, Limits
from bse_client.fields import Quality
from bse_client.quote import Level


Value = int | str | tuple[Level, ...] | None
"""A field's value: paise, a count, a time, a name, or a side of the order book."""

Fields = dict[str, Value]
"""Values by attribute of `Quote` (`last_paise`, `volume`, …)."""


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
class Goodbye:
    """The hub closes this connection next."""

    reason: str
    reconnect: bool
    after_ms: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type of message that only a newer hub knows: passed over."""

    type: str


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

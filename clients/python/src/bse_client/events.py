"""What a stream tells its reader. `Heartbeat` and `HubError` of the protocol are events as they are."""

from dataclasses import dataclass

from bse_client.answers import HubError, Rejection, Subscription
from bse_client.fields import Quality
from bse_client.messages import Heartbeat, LostChanges, Notice
from bse_client.quote import Quote


@dataclass(frozen=True, slots=True)
class QuoteChanged:
    """A quote has new values: `changed_fields` of them, e.g. {"last", "volume"}.

    The quote is the newest at the moment you take the event; of a scrip subscribed with `every`, it is
    as this change left it. conflated: how many changes since the last event of this scrip were merged
    into this one because you were slow. is_image: among them was a whole image (the first, or one after
    a gap or reconnect).
    """

    quote: Quote
    changed_fields: frozenset[str]
    conflated: int = 0
    is_image: bool = False


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """A price may be trusted more or less than before."""

    quote: Quote
    before: Quality
    after: Quality


@dataclass(frozen=True, slots=True)
class Gap:
    """Changes of one scrip were missed: it is stale until its new image, which is asked for.

    span: positions between what we hold and where the update starts.
    """

    symbol: str
    code: int
    held_sequence: int
    from_sequence: int

    @property
    def span(self) -> int:
        """How many positions were missed."""
        return self.from_sequence - self.held_sequence


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """The full set after a change by us or, with a client id, by somebody else."""

    subscriptions: tuple[Subscription, ...]
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class Connected:
    """The hub said welcome. reconnected: there was a connection before."""

    session: str
    reconnected: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """Our set is back on a new connection: the codes that went on from what we held, and the others.

    Of the resumed ones only what was missed came, merged; the re-imaged ones began anew.
    """

    resumed: tuple[int, ...]
    re_imaged: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DigestMismatch:
    """We did not hold what the hub holds: all is stale until its new image, which is asked for.

    count: how often this has happened on this stream.
    """

    expected: int
    computed: int
    count: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection ended, or an attempt failed; the next attempt comes in `retry_in_s`."""

    reason: str
    retry_in_s: float
    code: int | None = None


Event = (
    QuoteChanged
    | QualityChanged
    | Gap
    | LostChanges
    | DigestMismatch
    | Heartbeat
    | Notice
    | SubscriptionChanged
    | Connected
    | Restored
    | Disconnected
    | HubError
)

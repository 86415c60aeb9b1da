"""What was seen at one look: of each instance, of the feed, of the store. Facts only, no judgement.

Times named `at_ms` are on the store's clock, the one time base that all services share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bse_shared.quotes.position import Position
from bse_shared.wire.records import FeedStatus, Heartbeat


class Answer(StrEnum):
    """How an instance answered when it was asked whether it is ready."""

    READY = "ready"
    NOT_READY = "not_ready"
    SLOW = "slow"
    """No answer within the deadline."""
    GARBLED = "garbled"
    """An answer that is not one of our probes': a redirect, too long, not JSON."""
    UNREACHABLE = "unreachable"
    """Nothing listens at the address that it told."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What came back from one instance's /readyz and /metrics.

    reasons: its own words for not being ready, or what was wrong with its answer.
    figures: a few numbers from its metrics; without any, `figures_error` says why.
    """

    answer: Answer
    reasons: tuple[str, ...] = ()
    took_ms: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    figures_error: str = ""


@dataclass(frozen=True, slots=True)
class InstanceSeen:
    """One instance: its newest heartbeat, and its answer to the probe (None: not asked)."""

    heartbeat: Heartbeat
    probe: Probe | None = None


@dataclass(frozen=True, slots=True)
class StoreSeen:
    """The round trip to the store; `error` says why it gave no usable answer."""

    reachable: bool
    latency_ms: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ShardSeen:
    """A shard's position, and when the source last confirmed any price in it (0: never)."""

    shard: int
    position: Position
    confirmed_at_ms: int


@dataclass(frozen=True, slots=True)
class FeedSeen:
    """The fetcher's newest word, and the shards as the store holds them."""

    status: FeedStatus | None = None
    shards: tuple[ShardSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything seen at one look.

    While the store is away `now_ms` still advances, and feed and instances are what was seen of them last:
    `heartbeats_at_ms` is when the heartbeats were read.
    """

    now_ms: int
    store: StoreSeen
    feed: FeedSeen = FeedSeen()
    heartbeats_at_ms: int = 0
    instances: tuple[InstanceSeen, ...] = ()


NOTHING_SEEN = Observation(0, StoreSeen(False, error="the monitor has not looked yet"))
"""What is known before the first look."""

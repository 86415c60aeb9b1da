"""The status tree: the verdict on one look, with a reason in plain words for everything that is not well."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bse_monitor.rules.observation import InstanceSeen
from bse_shared.quotes.position import Position
from bse_shared.wire.records import FeedStatus


class Health(StrEnum):
    """How the whole does, and what a part means for the whole."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"

    @property
    def severity(self) -> int:
        """0 for ok, 1 for degraded, 2 for down."""
        return _SEVERITY[self]


_SEVERITY = {Health.OK: 0, Health.DEGRADED: 1, Health.DOWN: 2}


def worst(*healths: Health) -> Health:
    """The worst of them; ok for none."""
    return max(healths, key=lambda health: health.severity, default=Health.OK)


class InstanceState(StrEnum):
    """How one instance does."""

    UP = "up"
    DEGRADED = "degraded"
    MISSING = "missing"
    """It sends no heartbeats any more."""
    DOWN = "down"
    """It sends heartbeats, but nothing answers at its address."""


class ServiceState(StrEnum):
    """Whether enough instances of a service are up."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class FeedState(StrEnum):
    """How the stream of prices does."""

    OK = "ok"
    FAILING = "failing"
    """The source or the writer has trouble; the prices are still fresh, or none are expected."""
    STALE = "stale"
    """The market is open and no price was confirmed for too long."""
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """The verdict on one instance, beside what was seen of it."""

    state: InstanceState
    reasons: tuple[str, ...]
    heartbeat_age_ms: float
    seen: InstanceSeen


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The verdict on one service. `wanted` is 0 for one that nobody expects: it does not count."""

    name: str
    state: ServiceState
    health: Health
    wanted: int
    reasons: tuple[str, ...]
    instances: tuple[InstanceStatus, ...]

    @property
    def up(self) -> int:
        """How many instances are up."""
        return sum(i.state is InstanceState.UP for i in self.instances)

    @property
    def present(self) -> int:
        """How many instances send heartbeats."""
        return sum(i.state is not InstanceState.MISSING for i in self.instances)


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """A shard's position and the age of its newest confirmation (None: never confirmed)."""

    shard: int
    position: Position
    age_ms: float | None


@dataclass(frozen=True, slots=True)
class FeedVerdict:
    """The verdict on the feed. `age_ms` is that of the newest confirmation of any price."""

    state: FeedState
    health: Health
    reasons: tuple[str, ...]
    age_ms: float | None
    said: FeedStatus | None
    shards: tuple[ShardStatus, ...]


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """The verdict on the store."""

    health: Health
    reasons: tuple[str, ...]
    latency_ms: float | None


class Part(NamedTuple):
    """One required part, as the overall verdict sees it."""

    state: str
    health: Health
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The whole tree. `reasons` come worst first."""

    health: Health
    reasons: tuple[str, ...]
    store: StoreStatus
    feed: FeedVerdict
    services: tuple[ServiceStatus, ...]

    def parts(self) -> Mapping[str, Part]:
        """What the overall verdict is made of, by name."""
        store, feed = self.store, self.feed
        return {
            "store": Part(store.health.value, store.health, store.reasons),
            "feed": Part(feed.state.value, feed.health, feed.reasons),
            **{
                service.name: Part(service.state.value, service.health, service.reasons)
                for service in self.services
                if service.wanted
            },
        }

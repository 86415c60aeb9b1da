"""The public JSON of the status: what its members mean, and how the tree becomes it."""

from collections.abc import Mapping
from itertools import islice
from typing import Self

from pydantic import Field

from bse_monitor.dashboard.feed_reply import FeedReply
from bse_monitor.dashboard.reply import Reply, Seconds, seconds
from bse_monitor.loops.observe import Event, View
from bse_monitor.rules.status import (
    Health,
    InstanceState,
    InstanceStatus,
    ServiceState,
    ServiceStatus,
    StoreStatus,
)
from bse_monitor.rules.words import clip


Fact = str | int | float | bool | None

FACTS_MAX = 30


class InstanceReply(Reply):
    """One process of a service."""

    instance: str
    status: InstanceState = Field(
        description="missing: sends no heartbeats; down: sends them, but nothing answers"
    )
    reasons: list[str] = Field(description="why it is not up; empty when it is")
    role: str = Field(description="its own word, such as active or standby")
    version: str
    url: str
    heartbeat_age_s: Seconds
    uptime_s: Seconds = Field(description="at its newest heartbeat")
    probe_ms: float | None = Field(description="time its /readyz took; null: not asked")
    figures: dict[str, float] = Field(description="a few numbers from its /metrics")
    figures_error: str = Field(description="why there are no figures")
    detail: dict[str, Fact] = Field(
        description="what it tells of itself in its heartbeat"
    )

    @classmethod
    def of(cls, status: InstanceStatus) -> Self:
        """From the verdict."""
        beat, probe = status.seen.heartbeat, status.seen.probe
        return cls(
            instance=clip(beat.instance),
            status=status.state,
            reasons=list(status.reasons),
            role=clip(beat.role),
            version=clip(beat.version),
            url=clip(beat.url),
            heartbeat_age_s=seconds(status.heartbeat_age_ms),
            uptime_s=seconds(beat.at_ms - beat.started_at_ms),
            probe_ms=round(probe.took_ms, 1) if probe else None,
            figures=dict(probe.figures) if probe else {},
            figures_error=probe.figures_error if probe else "",
            detail=_bounded(beat.detail),
        )


class ServiceReply(Reply):
    """All instances of a service."""

    service: str
    status: ServiceState = Field(description="up when enough instances are up")
    reasons: list[str] = Field(description="why it is not up; empty when it is")
    expected: bool = Field(description="false: it does not count for the whole")
    wanted: int = Field(description="how many instances must be up")
    up: int = Field(description="how many are")
    instances: list[InstanceReply]

    @classmethod
    def of(cls, status: ServiceStatus) -> Self:
        """From the verdict."""
        return cls(
            service=clip(status.name),
            status=status.state,
            reasons=list(status.reasons),
            expected=status.wanted > 0,
            wanted=status.wanted,
            up=status.up,
            instances=[InstanceReply.of(instance) for instance in status.instances],
        )


class StoreReply(Reply):
    """Redis."""

    status: Health
    reasons: list[str]
    latency_ms: float | None = Field(description="of one round trip; null: no answer")

    @classmethod
    def of(cls, status: StoreStatus) -> Self:
        """From the verdict."""
        latency_ms = status.latency_ms
        return cls(
            status=status.health,
            reasons=list(status.reasons),
            latency_ms=None if latency_ms is None else round(latency_ms, 2),
        )


class EventReply(Reply):
    """A change of state."""

    at_ms: int
    part: str = Field(description="overall, store, feed, or a service")
    was: str
    now: str
    reasons: list[str]

    @classmethod
    def of(cls, event: Event) -> Self:
        """From what the observer kept."""
        change = event.change
        return cls(
            at_ms=event.at_ms,
            part=change.part,
            was=change.was,
            now=change.now,
            reasons=list(change.reasons),
        )


class StatusReply(Reply):
    """The whole platform at a glance."""

    status: Health = Field(description="as bad as the worst required part")
    reasons: list[str] = Field(description="worst first; empty when ok")
    as_of_ms: int = Field(description="when the newest look was done")
    age_s: Seconds = Field(description="age of this view: large when the monitor hangs")
    store: StoreReply
    feed: FeedReply
    services: list[ServiceReply]
    events: list[EventReply] = Field(description="what changed, newest first")

    @classmethod
    def of(cls, view: View) -> Self:
        """From the observer's view."""
        status = view.status
        return cls(
            status=status.health,
            reasons=list(status.reasons),
            as_of_ms=view.as_of_ms,
            age_s=seconds(view.age_ms),
            store=StoreReply.of(status.store),
            feed=FeedReply.of(status.feed),
            services=[ServiceReply.of(service) for service in status.services],
            events=[EventReply.of(event) for event in view.events],
        )


def _bounded(detail: Mapping[str, Fact]) -> dict[str, Fact]:
    return {
        clip(name, 60): clip(fact) if isinstance(fact, str) else fact
        for name, fact in islice(detail.items(), FACTS_MAX)
    }

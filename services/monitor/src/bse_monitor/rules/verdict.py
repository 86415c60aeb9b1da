"""From what was seen to the status tree. Overall is as bad as the worst part that is required."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from bse_monitor.rules.feed_verdict import judge_feed
from bse_monitor.rules.instance_verdict import judge_instance
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import Observation, StoreSeen
from bse_monitor.rules.status import (
    Health,
    InstanceState,
    InstanceStatus,
    Part,
    ServiceState,
    ServiceStatus,
    Status,
    StoreStatus,
    worst,
)
from bse_monitor.rules.words import clip, span


INSTANCES_NAMED_MAX = 5

_HEALTH_OF_SERVICE = {
    ServiceState.UP: Health.OK,
    ServiceState.DEGRADED: Health.DEGRADED,
    ServiceState.DOWN: Health.DOWN,
}


def evaluate(observation: Observation, limits: Limits) -> Status:
    """The status tree of one look."""
    store = _judge_store(observation.store, limits)
    feed = judge_feed(observation.feed, observation.store, observation.now_ms, limits)
    services = _judge_services(observation, limits)
    status = Status(Health.OK, (), store, feed, services)
    parts = status.parts()
    return replace(
        status,
        health=worst(*(part.health for part in parts.values())),
        reasons=_worst_first(parts),
    )


def aged(status: Status, age_ms: float, limit_ms: float) -> Status:
    """The status as it reads `age_ms` after the look: an old view is never a good one."""
    if age_ms <= limit_ms:
        return status
    why = f"this view is {span(age_ms)} old: the monitor's own observer is stuck"
    return replace(
        status,
        health=worst(status.health, Health.DEGRADED),
        reasons=(why, *status.reasons),
    )


def _judge_store(seen: StoreSeen, limits: Limits) -> StoreStatus:
    if not seen.reachable:
        return StoreStatus(Health.DOWN, (clip(seen.error) or "no answer",), None)
    latency_ms = seen.latency_ms or 0.0
    if latency_ms > limits.store_slow_after_ms:
        why = f"a round trip took {latency_ms:.0f} ms"
        return StoreStatus(Health.DEGRADED, (why,), latency_ms)
    return StoreStatus(Health.OK, (), latency_ms)


def _judge_services(
    observation: Observation, limits: Limits
) -> tuple[ServiceStatus, ...]:
    """The expected services in their order, then the others by name."""
    judged = [
        judge_instance(seen, observation.heartbeats_at_ms, limits)
        for seen in sorted(
            observation.instances,
            key=lambda seen: (seen.heartbeat.service, seen.heartbeat.instance),
        )
    ]
    found = {
        name: tuple(group)
        for name, group in groupby(judged, key=lambda i: i.seen.heartbeat.service)
    }
    names = [*limits.wanted, *(name for name in found if name not in limits.wanted)]
    why_none = (
        "no instance has sent a heartbeat"
        if observation.store.reachable
        else "no instance is known: the store cannot be read"
    )
    return tuple(
        _judge_service(name, found.get(name, ()), limits.wanted.get(name, 0), why_none)
        for name in names
    )


def _judge_service(
    name: str, instances: Sequence[InstanceStatus], wanted: int, why_none: str
) -> ServiceStatus:
    states = [instance.state for instance in instances]
    up = states.count(InstanceState.UP)
    if up >= max(wanted, 1):
        state = ServiceState.UP
    elif up or InstanceState.DEGRADED in states:
        state = ServiceState.DEGRADED
    else:
        state = ServiceState.DOWN
    reasons = () if state is ServiceState.UP else _why_not_up(instances, why_none)
    if up and state is ServiceState.DEGRADED:
        reasons = (f"{up} of {wanted} instances are up", *reasons)
    health = _HEALTH_OF_SERVICE[state] if wanted else Health.OK
    return ServiceStatus(name, state, health, wanted, reasons, tuple(instances))


def _why_not_up(instances: Sequence[InstanceStatus], why_none: str) -> tuple[str, ...]:
    """Reasons by instance: those that still beat first, then the missing ones."""
    if not instances:
        return (why_none,)
    ailing = [i for i in instances if i.state is not InstanceState.UP]
    ailing.sort(key=lambda i: i.state is InstanceState.MISSING)
    named = [
        f"{clip(i.seen.heartbeat.instance)} is {i.state.value}: {i.reasons[0]}"
        for i in ailing[:INSTANCES_NAMED_MAX]
    ]
    if len(ailing) > INSTANCES_NAMED_MAX:
        named.append(f"and {len(ailing) - INSTANCES_NAMED_MAX} more")
    return tuple(named)


def _worst_first(parts: Mapping[str, Part]) -> tuple[str, ...]:
    ailing = [(name, part) for name, part in parts.items() if part.health.severity]
    ailing.sort(key=lambda item: -item[1].health.severity)
    return tuple(
        f"{name} {part.state}: {reason}"
        for name, part in ailing
        for reason in part.reasons
    )

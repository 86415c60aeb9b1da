"""Each instance's sign of life in the store, once a second: how the monitor finds everybody."""

from collections.abc import Callable
from typing import Any

from bse_shared.redis_edge.instances import Instances
from bse_shared.service.loops import Loop
from bse_shared.service.runner import Shell
from bse_shared.wire.records import Heartbeat


HEARTBEAT_INTERVAL_S = 1.0


def heartbeat_loop(
    shell: Shell,
    instances: Instances,
    now_ms: Callable[[], int],
    detail: Callable[[], dict[str, Any]] = dict,
    role: Callable[[], str] = str,
) -> Loop:
    """The loop that leaves this instance's heartbeat; `now_ms` is the store's clock (0: not yet known)."""
    started: list[int] = []

    async def beat() -> None:
        now = now_ms()
        if not now:
            return
        if not started:
            started.append(now)
        reasons = shell.health.reasons()
        await instances.beat(
            Heartbeat(
                service=shell.service,
                instance=shell.instance,
                url=shell.url,
                version=shell.version,
                at_ms=now,
                started_at_ms=started[0],
                ready=not reasons,
                reasons=reasons,
                role=role(),
                detail=detail(),
            )
        )

    return Loop("heartbeat", beat, HEARTBEAT_INTERVAL_S)

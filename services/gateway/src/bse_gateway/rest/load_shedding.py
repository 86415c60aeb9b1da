"""Turns requests away while too many are at work, and gives up those that take too long (pure ASGI).

What is turned away costs little; what would be taken in beyond the limit would only make all others wait.
Probes always come through: an instance that is busy is not broken.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bse_gateway.metrics import GatewayMetrics
from bse_gateway.rest.problems import Kind, Problem


PROBES = frozenset({"/livez", "/readyz", "/health", "/metrics"})


class LoadShedding:
    """Counts the requests at work."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: GatewayMetrics,
        in_flight_max: int,
        deadline_s: float,
    ):
        self._app = app
        self._metrics = metrics
        self._in_flight_max = in_flight_max
        self._deadline_s = deadline_s
        self._in_flight = 0
        metrics.watch_load(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        if self._in_flight >= self._in_flight_max:
            self._metrics.refused.labels("overloaded").inc()
            raise Problem(
                Kind.OVERLOADED, "Come again in a moment.", headers={"Retry-After": "1"}
            )
        self._in_flight += 1
        try:
            await self._in_time(scope, receive, send)
        finally:
            self._in_flight -= 1

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def noting(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            async with asyncio.timeout(self._deadline_s):
                await self._app(scope, receive, noting)
        except TimeoutError:
            if has_started:
                raise
            self._metrics.refused.labels("deadline").inc()
            raise Problem(
                Kind.DEADLINE, "It was given up.", headers={"Retry-After": "2"}
            ) from None

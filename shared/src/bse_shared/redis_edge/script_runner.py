"""Runs scripts on the server, all of a batch in one round trip, and learns the store's clock from their replies."""

from collections.abc import Iterable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from bse_shared.pacing.clock import Clock
from bse_shared.pacing.store_clock import StoreClock
from bse_shared.redis_edge.connection import StoreUnavailable, store_errors
from bse_shared.redis_edge.scripts import Script


Call = tuple[Script, list[str], list[Any]]
"""A script, its keys, its arguments."""


class ScriptRunner:
    """Raises StoreUnavailable when any script of a batch failed; then what the others did is in doubt."""

    def __init__(self, redis: Redis, clock: Clock, store_clock: StoreClock):
        self._redis = redis
        self._clock = clock
        self._store_clock = store_clock

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        """The replies. A server that forgot the scripts (restart, fail-over) is taught again."""
        if not calls:
            return []
        sent_ms = self._clock.monotonic_ms()
        with store_errors():
            replies = await self._evaluate(calls, by_digest=True)
            forgotten = [
                i for i, r in enumerate(replies) if isinstance(r, NoScriptError)
            ]
            if forgotten:
                sent_ms = self._clock.monotonic_ms()
                again = await self._evaluate([calls[i] for i in forgotten])
                for i, reply in zip(forgotten, again, strict=True):
                    replies[i] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                raise StoreUnavailable(str(reply)) from reply
        self._observe_time(sent_ms, replies[-1])
        return replies

    async def _evaluate(
        self, calls: Iterable[Call], *, by_digest: bool = False
    ) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for script, names, args in calls:
                how = ("EVALSHA", script.sha) if by_digest else ("EVAL", script.body)
                pipe.execute_command(*how, len(names), *names, *args)
            replies: list[Any] = await pipe.execute(raise_on_error=False)
            return replies

    def _observe_time(self, sent_ms: float, reply: Any) -> None:
        stamps = reply if isinstance(reply, list) else []
        # TAKE_LEASE tells the time third, RENEW_LEASE and COMMIT second.
        for stamp in reversed(stamps[1:3]):
            if isinstance(stamp, bytes) and stamp.isdigit():
                received_ms = self._clock.monotonic_ms()
                self._store_clock.observe(sent_ms, received_ms, int(stamp))
                return

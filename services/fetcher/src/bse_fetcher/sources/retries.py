"""A second and a third try of a call whose failure may have been a moment's (edge: it waits).

Each wait is twice the last one and a random part of it, so that replicas don't come back together; no try begins
after the deadline. What a source says by itself (wait, go away, who are you) is no reason to try again: the circuit
keeps to that, for all replicas.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

from bse_fetcher.sources.errors import ExchangeError


T = TypeVar("T")

MOMENTARY = frozenset(
    {"timeout", "connection", "server_error", "truncated", "empty", "null"}
)
"""Kinds of errors that may be gone a moment later. A page instead of data is none: it may be a block."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and until when, a call is tried."""

    attempts: int = 3
    within_s: float = 2.0
    first_wait_s: float = 0.2
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def call(
        self, ask: Callable[[], Awaitable[T]], may_go_on: Callable[[], bool]
    ) -> T:
        """What `ask` returns; raises its last error. `may_go_on` is asked after each failure."""

        def is_worth_it(error: BaseException) -> bool:
            return (
                isinstance(error, ExchangeError)
                and error.kind in MOMENTARY
                and may_go_on()
            )

        tries = AsyncRetrying(
            retry=retry_if_exception(is_worth_it),
            stop=stop_after_attempt(self.attempts) | stop_before_delay(self.within_s),
            wait=wait_exponential_jitter(
                multiplier=self.first_wait_s,
                max=self.within_s,
                jitter=self.first_wait_s,
            ),
            sleep=self.sleep,
            reraise=True,
        )
        async for attempt in tries:
            with attempt:
                return await ask()
        raise AssertionError("the last try returns or raises")


ONE_TRY = Retries(attempts=1)

"""The running product as a stranger reaches it, and how a check fails."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from bse_local_stack.stack import Stack


CHANGE_WITHIN_S = 15
OK = 200


class CheckFailed(Exception):
    """The door did not do what it should."""


class Doors:
    """The running product as a stranger reaches it."""

    def __init__(self, stack: Stack, http: aiohttp.ClientSession):
        self.stack = stack
        self.http = http

    async def get(self, name: str, path: str, status: int = 200) -> Any:
        """The JSON (or text) at a path, which must answer with this status."""
        async with self.http.get(self.stack.url(name) + path) as answer:
            if answer.status != status:
                raise CheckFailed(
                    f"{path}: HTTP {answer.status}: {(await answer.text())[:200]}"
                )
            if "json" in answer.content_type:
                return await answer.json(content_type=None)
            return await answer.text()

    async def until(
        self, name: str, path: str, found: Callable[[Any], bool], within_s: float
    ) -> Any:
        """What a path answers, as soon as that is what is looked for."""
        ends = time.monotonic() + within_s
        while True:
            answer = None
            try:
                answer = await self.get(name, path)
            except CheckFailed:
                if time.monotonic() > ends:
                    raise
            if answer is not None and found(answer):
                return answer
            if time.monotonic() > ends:
                raise CheckFailed(f"{path}: not in {within_s} s: {str(answer)[:200]}")
            await asyncio.sleep(0.1)


def hold(condition: bool, otherwise: str) -> None:
    """Fail where the condition does not hold."""
    if not condition:
        raise CheckFailed(otherwise)


async def json_until(ws: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    """The next message of this kind."""
    ends = time.monotonic() + CHANGE_WITHIN_S
    while time.monotonic() < ends:
        message = await ws.receive_json(timeout=CHANGE_WITHIN_S)
        if message["type"] == kind:
            return message
    raise CheckFailed(f"no {kind!r} message in {CHANGE_WITHIN_S} s")

"""`make smoke`: start the product on free ports, check every door from outside, stop it. A line a check."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO

import aiohttp

from bse_local_stack.checks import CHECKS
from bse_local_stack.checks.doors import CheckFailed, Doors
from bse_local_stack.ports import free_ports
from bse_local_stack.stack import PORTS, Stack


STOP_WITHIN_S = 15
LOG_TAIL_BYTES = 6000

Check = Callable[[Doors], Awaitable[str]]


def smoke() -> int:
    """Run all checks; 0 only if every one held."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    env = {
        **{name: value for name, value in os.environ.items() if name != "REDIS_URL"},
        **{PORTS[name][0]: str(port) for name, port in ports.items()},
        "SOURCE": "sim",
        "LOG_FORMAT": "json",
    }
    with TemporaryFile() as log:
        return asyncio.run(_smoke(Stack.from_environment(env), env, log))


async def _smoke(stack: Stack, env: dict[str, str], log: IO[bytes]) -> int:
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bse_local_stack", "run"),
        env=env,
        stdout=log,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    failed = 0
    async with aiohttp.ClientSession() as http:
        doors = Doors(stack, http)
        for name, check in CHECKS:
            failed += not await _one(name, check, doors)
    failed += not await _one("Ctrl-C stops all", lambda _: _stop(process, stack), doors)
    if failed:
        log.seek(max(0, log.tell() - LOG_TAIL_BYTES))
        sys.stdout.write("\nlast log lines:\n" + log.read().decode(errors="replace"))
    print(
        f"\n{len(CHECKS) + 1 - failed} passed, {failed} failed"
        f" in {time.monotonic() - started:.0f} s"
    )
    return 1 if failed else 0


async def _one(name: str, check: Check, doors: Doors) -> bool:
    started = time.monotonic()
    try:
        found = await check(doors)
    except (CheckFailed, aiohttp.ClientError, OSError, KeyError, TimeoutError) as error:
        print(f"FAIL  {name:<34} {type(error).__name__}: {error}", flush=True)
        return False
    took_ms = (time.monotonic() - started) * 1000
    print(f"ok    {name:<34} {found}  ({took_ms:.0f} ms)", flush=True)
    return True


async def _stop(process: asyncio.subprocess.Process, stack: Stack) -> str:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        code = await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise CheckFailed(f"still running after {STOP_WITHIN_S} s") from None
    if code != 0:
        raise CheckFailed(f"exit code {code}")
    if taken := stack.taken_ports():
        raise CheckFailed(f"left behind: {', '.join(taken)}")
    return "exit code 0, all ports free"

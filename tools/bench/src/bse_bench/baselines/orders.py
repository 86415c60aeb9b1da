"""How servers and publishers of a benchmark are ordered about: lines on standard input, `ok` for each.

`go HZ COUNT PAYLOAD` means: at each tick send PAYLOAD to everybody (COUNT 0) or to the subscribers of COUNT
symbols drawn at random; `pause` means stop. The end of standard input ends the process.
"""

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable


Tick = Callable[[int, str], Awaitable[None]]

BEAT_S = 1.0


async def obey(
    tick: Tick, each_second: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Tick at the pace that was last ordered, until standard input ends."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    pause_s, count, payload = math.inf, 0, ""
    tick_due = math.inf
    beat_due = loop.time() if each_second else math.inf
    while True:
        due = min(tick_due, beat_due)
        try:
            async with asyncio.timeout_at(None if math.isinf(due) else due):
                line = await orders.readline()
        except TimeoutError:
            if each_second and loop.time() >= beat_due:
                beat_due += BEAT_S
                await each_second()
            if loop.time() >= tick_due:
                tick_due += pause_s
                await tick(count, payload)
            continue
        order, *rest = line.decode().split() or ["end"]
        if order == "end":
            return
        pause_s, tick_due = math.inf, math.inf
        if order == "go":
            pause_s, count, payload = 1 / float(rest[0]), int(rest[1]), rest[2]
            tick_due = loop.time() + pause_s
        print("ok", flush=True)

"""`make run`: the whole product on this machine, with readable output, until Ctrl-C."""

import os
import shlex
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import AbstractContextManager, nullcontext

from honcho.manager import Manager

from bse_local_stack.redis_server import running_server
from bse_local_stack.stack import CannotStart, Stack
from bse_shared.access.api_keys import DEMO_KEY


READY_WITHIN_S = 60
INTERRUPTED = 130
TERMINATED = 143

BANNER = """
  Ready. {source}

    REST       {gateway}/api/stock/RELIANCE      docs: {gateway}/docs
    stream     {raw}/ws   and Socket.IO at {hub}
    watch      .venv/bin/bse-watch RELIANCE TCS 500325{watch_url}
    status     {monitor}/          JSON: {monitor}/status
    demo key   {demo_key}   (role trader; none is needed here)

  Ctrl-C stops everything.
"""


def run() -> int:
    """Run until a signal or until a process ends; the exit code."""
    stack = Stack.from_environment(os.environ)
    if taken := stack.taken_ports():
        raise CannotStart("Already in use: " + ", ".join(taken))
    with _redis(stack):
        manager = Manager()
        for process in stack.processes():
            env = {
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                "LOG_FORMAT": os.environ.get("LOG_FORMAT", "console"),
                **process.env,
            }
            manager.add_process(process.name, shlex.join(process.line), env=env)
        threading.Thread(target=_announce, args=(stack,), daemon=True).start()
        manager.loop()
    code = int(manager.returncode or 0)
    return 0 if code in {INTERRUPTED, TERMINATED} else code


def _redis(stack: Stack) -> AbstractContextManager[str]:
    """The embedded server, unless REDIS_URL names another."""
    if stack.embedded_redis:
        return running_server(stack.ports["redis"])
    return nullcontext(stack.redis_url)


def _announce(stack: Stack) -> None:
    """Print where to look, once everything is ready; or what is not, if it takes too long."""
    waiting = ["fetcher", "gateway", "ws-hub", "monitor"]
    deadline = time.monotonic() + READY_WITHIN_S
    while waiting and time.monotonic() < deadline:
        waiting = [name for name in waiting if not _ready(stack.url(name))]
        time.sleep(0.2)
    if waiting:
        print(f"\n  Not ready after {READY_WITHIN_S} s: {', '.join(waiting)}\n")
        return
    raw = stack.url("ws-hub", "ws")
    default = stack.ports["ws-hub"] == 8001  # noqa: PLR2004 - bse-watch's default
    print(
        BANNER.format(
            source=_source(stack),
            gateway=stack.url("gateway"),
            raw=raw,
            hub=stack.url("ws-hub"),
            monitor=stack.url("monitor"),
            demo_key=DEMO_KEY.text,
            watch_url="" if default else f" --url {raw}/ws",
        )
    )
    sys.stdout.flush()


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=1) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP
    except (urllib.error.URLError, OSError):
        return False


def _source(stack: Stack) -> str:
    if stack.source == "sim":
        return f"Quotes come from the stand-in exchange at {stack.url('exchange-sim')}: not real prices."
    return "Quotes come from BSE's web API (unofficial; see README on its terms)."

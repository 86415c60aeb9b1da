"""The gateway under measurement, with identity required and budgets counted, and the plain baseline beside it."""

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bse_bench.processes import Child, Unfit, running
from bse_bench.publisher import SYMBOLS
from bse_bench.subjects import STARTS_MAX, ready, store
from bse_local_stack.ports import free_ports


CALLERS = 8
"""Identities that ask in turn: at several thousand requests a second one would spend its minute's budget."""

CHANGES = "go 3 100 x"
"""A third of the scrips changes each second while we measure, as in a market polled every 3 s."""


_PUBLISHER = [sys.executable, "-m", "bse_bench.publisher"]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway and tokens for it."""

    server: Child
    port: int
    tokens: list[str]

    def read(self, path: str) -> Any:
        """An answer's JSON."""
        return json.loads(self.fetch(path))

    def fetch(self, path: str) -> bytes:
        """An answer's body."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        asked.add_header("Authorization", f"Bearer {self.tokens[0]}")
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 - ours
            found: bytes = answer.read()
            return found


@contextmanager
def gateway() -> Iterator[Gateway]:
    """The real gateway on a store of its own, whose quotes a publisher changes."""
    with (
        store() as url,
        running("publisher", [*_PUBLISHER, url, "100"]) as fed,
        ExitStack() as stack,
    ):
        fed.line()
        server, port = _started(stack, url)
        tokens = [_token(port, _api_key(url, number)) for number in range(CALLERS)]
        fed.ask(CHANGES)
        yield Gateway(server, port, tokens)


@contextmanager
def plain(of: Gateway) -> Iterator[tuple[Child, int]]:
    """The baseline with the same quotes, and its port."""
    with tempfile.TemporaryDirectory(prefix="bse-bench-") as directory:
        file = Path(directory) / "quotes.json"
        quotes = [of.read(f"/api/stock/{symbol}") for symbol in SYMBOLS[:100]]
        file.write_text(json.dumps(quotes), encoding="utf-8")
        line = [sys.executable, "-m", "bse_bench.gateway_plain", str(file)]
        with running("plain FastAPI", line) as child:
            yield child, int(child.line())


def _started(stack: ExitStack, url: str) -> tuple[Child, int]:
    line = [sys.executable, "-m", "bse_gateway"]
    for _ in range(STARTS_MAX):
        (port,) = free_ports(1)
        env = {
            "REDIS_URL": url,
            "HTTP_PORT": str(port),
            "AUTH_MODE": "required",
            "LOG_LEVEL": "info",  # as in production
        }
        server = stack.enter_context(running("gateway", line, env))
        if ready(server, port):
            return server, port
    raise Unfit("the gateway did not start")


def _api_key(url: str, number: int) -> str:
    line = [sys.executable, "-m", "bse_gateway.admin_key", "create"]
    line += ["--role", "service", "--name", f"bench {number}"]
    env = {"REDIS_URL": url}
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=env)
    return done.stdout.strip()


def _token(port: int, key: str) -> str:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/auth/token", method="POST"
    )
    asked.add_header("X-API-Key", key)
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 - ours
        token: str = json.loads(answer.read())["access_token"]
        return token

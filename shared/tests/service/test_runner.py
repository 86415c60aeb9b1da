"""The runner end to end: a tiny service as a process, with real signals."""

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest


TINY = """
import asyncio, os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fastapi import FastAPI
from bse_shared.service.loops import Loop
from bse_shared.service.runner import Service, run_service
from bse_shared.service.settings import HttpSettings, ProcessSettings

@dataclass(frozen=True)
class TinySettings:
    http: HttpSettings
    process: ProcessSettings

@asynccontextmanager
async def assemble(settings, shell):
    if "assemble" in os.environ["TINY"]:
        raise ValueError("nothing to assemble")
    if "slow" in os.environ["TINY"]:
        print("assembling", flush=True)
        while not os.path.exists(__file__ + ".go"):
            await asyncio.sleep(0.01)
    app, drained = FastAPI(), asyncio.Event()

    @app.post("/drained")
    async def tell():
        drained.set()

    async def step():
        if "loop" in os.environ["TINY"]:
            raise KeyError("the bug")
        if "stray" in os.environ["TINY"]:
            asyncio.current_task().cancel()
            await asyncio.sleep(0)

    async def drain():
        print("drain called", flush=True)
        await drained.wait()

    try:
        yield Service(
            app=app,
            loops=[Loop("tiny loop", step, 0.01)],
            not_ready=list,
            detail=lambda: {"tiny": True},
            drain=drain,
        )
    finally:
        print("closed", flush=True)

run_service("tiny", TinySettings, assemble, "A tiny service.")
"""


class Tiny:
    """The process, and what it has said so far."""

    def __init__(self, process):
        self.said = []
        self.url = ""
        self._process = process

    def hear(self, what):
        """Read until a line says this; that line as JSON where it is."""
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            if what in line:
                return json.loads(line) if line.startswith("{") else line
        raise AssertionError(f"{what!r} was never said: {self.said}")

    def started(self):
        """Wait until it serves."""
        self.url = self.hear("service.started")["url"]
        return self

    def send(self, number):
        """Send a signal."""
        self._process.send_signal(number)

    def get(self, path):
        """Ask a probe."""
        return httpx.get(self.url + path, timeout=5)

    def ended(self):
        """Wait for its end; exit code and standard error."""
        out, err = self._process.communicate(timeout=20)
        self.said += out.splitlines()
        return self._process.returncode, err

    def events(self):
        """All that was logged."""
        return [json.loads(line) for line in self.said if line.startswith("{")]


@pytest.fixture
def tiny(tmp_path):
    """Run the tiny service with this environment."""
    script = tmp_path / "tiny.py"
    script.write_text(TINY)

    @contextmanager
    def run(trouble="", **environment):
        environment = {"HTTP_PORT": "0", "TINY": trouble, **environment}
        with subprocess.Popen(
            [sys.executable, str(script)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Tiny(process)
            finally:
                process.kill()

    return run


def test_a_service_starts_answers_drains_and_ends(tiny):
    """Ready, then on SIGTERM not ready but serving until its clients are drained, then exit code 0."""
    with tiny() as it:
        it.started()
        assert {"ready": True, "reasons": []} == it.get("/readyz").json()
        assert 200 == it.get("/livez").status_code
        assert it.get("/health").json()["tiny"]
        assert 'build_info{service="tiny"' in it.get("/metrics").text

        it.send(signal.SIGTERM)
        it.hear("drain called")
        refused = it.get("/readyz")
        assert (503, ["draining"]) == (refused.status_code, refused.json()["reasons"])
        assert 200 == it.get("/livez").status_code
        httpx.post(it.url + "/drained")

        assert (0, "") == it.ended()
        assert ["closed"] == it.said[-2:-1]
        assert ["service.started", "service.draining", "service.stopped"] == [
            each["event"] for each in it.events()
        ]
        assert {"tiny"} == {each["service"] for each in it.events()}


def test_control_c_is_an_ordered_end_too(tiny):
    """A person in a terminal gets the same."""
    with tiny() as it:
        it.started()
        it.send(signal.SIGINT)
        it.hear("drain called")
        httpx.post(it.url + "/drained")

        assert (0, "") == it.ended()
        assert "closed" in it.said


def test_a_signal_while_it_is_put_together_is_an_ordered_end(tiny, tmp_path):
    """What was opened is closed: a lease taken at start would else be missed by the next one."""
    with tiny("slow") as it:
        it.hear("assembling")
        it.send(signal.SIGTERM)
        (tmp_path / "tiny.py.go").touch()
        httpx.post(it.started().url + "/drained")

        assert (0, "") == it.ended()
        assert "closed" in it.said


def test_a_second_signal_ends_it_at_once(tiny):
    """Who asks twice does not want to wait."""
    with tiny() as it:
        it.started().send(signal.SIGTERM)
        it.hear("drain called")
        it.send(signal.SIGTERM)

        assert (1, "") == it.ended()
        assert "service.shutdown_cut_short" == it.events()[-1]["event"]


def test_the_deadline_ends_a_shutdown_that_hangs(tiny):
    """Nothing outlives its grace period."""
    with tiny(SHUTDOWN_DEADLINE_S="0.1") as it:
        it.started().send(signal.SIGTERM)

        assert (1, "") == it.ended()
        assert "service.shutdown_cut_short" == it.events()[-1]["event"]


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("loop", "KeyError: 'the bug' (in the loop 'tiny loop')"),
        (
            "stray",
            "RuntimeError: the loop 'tiny loop' was cancelled from within",
        ),
        ("assemble", "ValueError: nothing to assemble"),
    ],
)
def test_a_bug_ends_the_process_with_one_readable_line(tiny, trouble, error):
    """Exit code 1; the line names the error and its loop and keeps the traceback."""
    with tiny(trouble) as it:
        assert (1, "") == it.ended()
        (crash,) = (e for e in it.events() if e["event"] == "service.crashed")
        assert error == crash["error"]
        assert "Traceback" in crash["exception"]
        assert ("closed" in it.said) == (trouble != "assemble")


def test_a_port_that_is_taken_is_told_with_a_hint(tiny):
    """Exit code 2: it is a matter of settings."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with tiny(HTTP_PORT=str(port)) as it:
            code, told = it.ended()

    assert 2 == code
    assert told == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use."
        " Set HTTP_HOST and HTTP_PORT.\n"
    )


def test_an_address_that_is_not_ours_is_told_the_same_way(tiny):
    """No traceback for a typing error."""
    with tiny(HTTP_HOST="192.0.2.1") as it:
        code, told = it.ended()

    assert 2 == code
    assert told.startswith("Cannot listen on 192.0.2.1:0: ")


def test_an_ipv6_address_is_advertised_as_a_url(tiny):
    """Brackets, or the port belongs to the address."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"needs IPv6 on loopback: {error}")
    with tiny(HTTP_HOST="::1") as it:
        assert it.started().url.startswith("http://[::1]:")


def test_wrong_settings_end_it_before_anything_starts(tiny):
    """Exit code 2 and nothing on standard output."""
    with tiny(LOG_LEVEL="loud") as it:
        code, told = it.ended()

    assert 2 == code
    assert "LOG_LEVEL: " in told
    assert [] == it.said

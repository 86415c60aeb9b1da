"""The command: help, complaints, and a quick end."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest


COMMAND = [sys.executable, "-m", "bse_exchange_sim"]


def environment(**settings: str) -> dict[str, str]:
    return {**os.environ, "SIM_PORT": "0", "SIM_SCRIPS": "50", **settings}


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_help_explains_the_settings() -> None:
    """The help lists the settings of the environment."""
    done = run("--help")
    assert done.returncode == 0
    assert "BHAVCOPY" in done.stdout
    assert "SIM_HEADER_RULES" in done.stdout


def test_wrong_settings_end_with_two(tmp_path: Path) -> None:
    """Wrong settings end with exit code 2 and one line that names the cause."""
    page = tmp_path / "page.csv"
    page.write_text("<html>")
    for settings, cause in (
        ({"BHAVCOPY": "/no/such.csv"}, "no such file: /no/such.csv"),
        ({"BHAVCOPY": str(page)}, "the file is an HTML page"),
        ({"SIM_MODE": "often"}, "SIM_MODE"),
        ({"SIM_HOST": "203.0.113.1"}, "assign requested address"),
    ):
        done = run(**settings)
        assert done.returncode == 2
        assert cause in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_with_zero_even_with_a_hanging_request(number: int) -> None:
    """A signal ends the server with exit code 0 while a request hangs."""
    with subprocess.Popen(
        COMMAND, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = line.split("port=")[1].split()[0]
        base = f"http://127.0.0.1:{port}"
        fault = urllib.request.Request(
            f"{base}/admin/faults", b'{"kind":"hang"}', method="POST"
        )
        urllib.request.urlopen(fault, timeout=5).close()
        with pytest.raises((urllib.error.URLError, TimeoutError)):
            urllib.request.urlopen(f"{base}/x", timeout=0.2)
        process.send_signal(number)
        assert process.wait(timeout=10) == 0

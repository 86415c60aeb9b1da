"""The command."""

import subprocess
import sys


def run(**environment):
    """Run the command's `--help` or let it fail at its settings."""
    return subprocess.run(
        [sys.executable, "-m", "bse_gateway", *environment.pop("args", [])],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_help_explains_every_setting():
    """An operator needs no other page to start it."""
    done = run(args=["--help"])
    assert done.returncode == 0
    assert "GATEWAY_STREAM_URL=ws://127.0.0.1:8001" in done.stdout


def test_wrong_settings_end_it_with_a_readable_list():
    """Exit code 2, one line for each wrong setting."""
    done = run(GATEWAY_STREAM_URL="ftp://hub", GATEWAY_SYMBOLS_MAX="0")
    assert done.returncode == 2
    assert "GATEWAY_STREAM_URL: " in done.stderr
    assert "GATEWAY_SYMBOLS_MAX: " in done.stderr


def test_production_does_not_start_with_development_secrets():
    """Exit code 2, everything that is missing in one line, and no secret in it."""
    done = run(AUTH_ENVIRONMENT="production", AUTH_DEMO_KEY="1", AUTH_PEPPER="hunter2")
    assert done.returncode == 2
    for named in ("AUTH_PEPPER_FILE", "AUTH_SIGNING_KEY_FILE", "AUTH_DEMO_KEY"):
        assert named in done.stderr
    assert "hunter2" not in done.stderr

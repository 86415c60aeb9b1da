"""The tests of the JavaScript client, by node's own runner."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


HERE = Path(__file__).parents[1]


@pytest.mark.timeout(180)
def test_the_javascript_client():
    """Golden messages and stories, laws, and the stream against a real little server; strictly typed."""
    missing = None
    if shutil.which("npm") is None:
        missing = "Node.js is not installed (Debian: apt-get install nodejs npm)"
    elif not (HERE / "node_modules" / "typescript").is_dir():
        missing = "the client's tools are not installed (npm ci --prefix clients/js)"
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)

    done = subprocess.run(
        ["npm", "test", "--silent"],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    failures = [line for line in done.stdout.splitlines() if line.startswith("not ok")]

    assert done.returncode == 0, "\n".join(
        [*failures, done.stdout[-6000:], done.stderr[-2000:]]
    )
    assert "# fail 0" in done.stdout

"""No locked version is below the one that fixed the last known hole. Advisory in the table, one line a package."""

import re
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]

FLOORS = {
    "python-socketio": "5.16.2",  # CVE-2026-48804: attachments kept in memory
    "python-engineio": "4.13.2",  # CVE-2026-48802: unbounded heartbeat tasks
    "redis": "4.5.4",  # CVE-2023-28858: replies to the wrong caller
    "starlette": "1.3.1",  # CVE-2026-54283 and earlier
    "uvicorn": "0.52.4",
    "h11": "0.16.0",  # CVE-2025-43859: request smuggling
    "httptools": "0.8.0",
    "aiohttp": "3.14.4",  # CVE-2026-128131: quadratic decompression
    "websockets": "17.0.1",
    "msgpack": "1.2.3",  # CVE-2026-114613: leak on refused keys
    "pyjwt": "2.15.0",  # CVE-2026-102275 and earlier
    "cryptography": "50.0.2",  # PYSEC-2026-3552
}


def locked(name):
    """The versions of a lock file by package."""
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==([0-9.]+)", text, re.MULTILINE))


def numbers(version):
    """A version that can be compared."""
    return tuple(int(part) for part in version.split("."))


@pytest.mark.parametrize("lock", ["runtime.lock", "dev.lock"])
@pytest.mark.parametrize("package", FLOORS)
def test_locked_versions_are_above_the_floors(lock, package):
    """A downgrade below a fix does not pass unseen."""
    assert numbers(locked(lock)[package]) >= numbers(FLOORS[package])


@pytest.mark.parametrize("lock", ["runtime.lock", "dev.lock"])
def test_lock_files_hold_hashes_and_no_address(lock):
    """What is installed is what was reviewed, wherever it comes from."""
    text = (ROOT / "requirements" / lock).read_text()

    assert "://" not in text
    assert len(locked(lock)) <= text.count("--hash=sha256:")

"""The calendar as a file that changes while the process runs."""

import json
import os
from importlib.resources import files

import pytest
from structlog.testing import capture_logs

from bse_fetcher.session_source import CalendarSource
from bse_fetcher.settings import PollSettings
from bse_shared.testing.fake_clock import FakeClock


MONDAY_NOON_MS = 1_795_415_400_000
"""23 Nov 2026, 12:00 in India: a trading day."""

BUILTIN = json.loads(
    files("bse_shared.sessions").joinpath("bse_equity.json").read_bytes()
)
"""The packaged calendar's own content, to be changed."""


def holiday_on(date):
    """The packaged calendar with one holiday more."""
    changed = json.loads(json.dumps(BUILTIN))
    changed["holidays"].append({"date": date, "name": "declared yesterday"})
    changed["holidays"].sort(key=lambda each: each["date"])
    return json.dumps(changed)


class File:
    """The calendar's file, each version with its own time of change."""

    def __init__(self, path):
        self.path = path
        self._changed_at = 1_000

    def write(self, text):
        """Replace it."""
        self.path.write_text(text)
        self._changed_at += 1
        os.utime(self.path, (self._changed_at, self._changed_at))


@pytest.fixture
def file(tmp_path):
    """A calendar file that does not exist yet."""
    return File(tmp_path / "calendar.json")


@pytest.fixture
def source(file):
    """The source that reads it, on a Monday at noon."""
    settings = PollSettings(calendar=str(file.path))
    return CalendarSource(settings, FakeClock(wall_ms=MONDAY_NOON_MS))


async def test_without_a_file_the_packaged_calendar_counts():
    """A fetcher needs no configuration."""
    source = CalendarSource(PollSettings(), FakeClock(wall_ms=MONDAY_NOON_MS))
    await source.reload()

    assert source.session().is_open


async def test_a_holiday_that_is_declared_closes_the_market(source, file):
    """The file is read again when it changes, and only then."""
    file.write(json.dumps(BUILTIN))
    with capture_logs() as lines:
        await source.reload()
        assert source.session().is_open
        file.write(holiday_on("2026-11-23"))
        await source.reload()
        await source.reload()

    assert not source.session().is_open
    assert holiday_on("2026-11-23").encode() == source.file
    assert 2 == len([line for line in lines if line["event"] == "calendar.read"])


BROKEN = [
    "",
    "{",
    "null",
    "[]",
    "{}",
    json.dumps({**BUILTIN, "holidays": "none"}),
    json.dumps({**BUILTIN, "holidays": [{"date": "soon"}]}),
    '{"a":' * 100_000,
]


async def test_a_change_within_the_clocks_grain_is_seen(source, file):
    """Two versions may carry one time of change: their size or place differs."""
    file.write(json.dumps(BUILTIN))
    await source.reload()
    changed = file.path.stat()
    file.write(holiday_on("2026-11-23"))
    os.utime(file.path, ns=(changed.st_atime_ns, changed.st_mtime_ns))
    await source.reload()

    assert not source.session().is_open


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
async def test_a_broken_file_leaves_the_calendar_in_force(source, file, broken):
    """The last good one counts; the problem is told once, and the next good file is taken."""
    file.write(holiday_on("2026-11-23"))
    await source.reload()
    file.write(broken)
    with capture_logs() as lines:
        for _ in range(3):
            await source.reload()

    assert not source.session().is_open
    assert ["calendar.not_read"] == [line["event"] for line in lines]
    assert holiday_on("2026-11-23").encode() == source.file
    file.write(json.dumps(BUILTIN))
    await source.reload()
    assert source.session().is_open


async def test_bytes_that_are_no_text_leave_the_calendar_in_force(source, file):
    """The same for a file that is something else altogether."""
    file.path.write_bytes(b'{"market": "\xff\xfe"}')
    with capture_logs() as lines:
        await source.reload()

    assert source.session().is_open
    assert ["calendar.not_read"] == [line["event"] for line in lines]


async def test_a_missing_file_is_told_once_and_awaited(source, file):
    """The packaged calendar counts until the file is there; a file that goes away changes nothing."""
    with capture_logs() as lines:
        for _ in range(3):
            await source.reload()
    assert ["calendar.not_read"] == [line["event"] for line in lines]
    assert source.session().is_open

    file.write(holiday_on("2026-11-23"))
    await source.reload()
    file.path.unlink()
    await source.reload()
    assert not source.session().is_open


async def test_a_directory_in_its_place_is_no_calendar(source, file):
    """A wrong mount does not end the process."""
    file.path.mkdir()
    await source.reload()

    assert source.session().is_open


async def test_always_open_asks_no_calendar():
    """The stand-in exchange trades on Sundays, too."""
    settings = PollSettings(session="always_open")
    source = CalendarSource(settings, FakeClock())
    await source.reload()

    assert source.session().is_open


async def test_a_calendar_that_runs_out_is_told_once_a_day():
    """Two weeks before its last day, and until somebody brings a new one."""
    clock = FakeClock(wall_ms=MONDAY_NOON_MS + 30 * 86_400_000)
    source = CalendarSource(PollSettings(), clock)
    with capture_logs() as lines:
        for _ in range(3):
            await source.reload()
        clock.advance(86_400_000)
        await source.reload()

    assert ["calendar.runs_out"] * 2 == [line["event"] for line in lines]

"""The small records: typed JSON or nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.wire.records import (
    FeedStatus,
    Heartbeat,
    SessionRecord,
    SubscriptionRecord,
    WantedScrips,
    from_json,
    to_json,
)


FEED = FeedStatus(
    at_ms=1,
    writer="fetcher-1",
    source="bse",
    state="ok",
    session=SessionRecord(phase="open", is_open=True, next_change_at_ms=5),
    shards=8,
    poll_interval_s=3.0,
    last_error="\N{SNOWMAN}",
)
HEARTBEAT = Heartbeat(
    service="ws-hub",
    instance="a",
    url="http://a",
    version="1",
    at_ms=1,
    started_at_ms=1,
    ready=False,
    reasons=["draining"],
    detail={"n": 1, "x": 0.5, "s": "t", "b": True, "z": None},
)
SET = SubscriptionRecord(
    client_id="a",
    wants=[
        WantedScrips(codes=[1, 2], mode="ltp"),
        WantedScrips(codes=[3], fields=["last"], max_hz=0.5, every=True),
    ],
    updated_at_ms=1,
)
KINDS = [FeedStatus, Heartbeat, SubscriptionRecord]


@pytest.mark.parametrize("record", [FEED, HEARTBEAT, SET])
def test_a_record_comes_back(record):
    """With all members."""
    assert record == from_json(to_json(record), type(record))


@pytest.mark.parametrize("record", [FEED, HEARTBEAT, SET])
def test_members_of_a_newer_version_are_passed_over(record):
    """A newer writer may add."""
    newer = json.dumps({**json.loads(to_json(record)), "added": [{"deep": [1]}]})

    assert record == from_json(newer, type(record))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_a_record_or_nothing(kind, data):
    """Never an error."""
    try:
        found = from_json(data, kind)
    except UnicodeEncodeError:
        return  # text with surrogates is no bytes of a store
    assert found is None or isinstance(found, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"added":' + b"[" * 100_000,
        b'{"at_ms":' + b"9" * 5000 + b"}",
        b"{}",
    ],
    ids=["empty", "no text", "deep", "deep member", "long integer", "nothing"],
)
def test_hostile_bytes_are_no_record(kind, data):
    """One broken key must not end a process."""
    assert from_json(data, kind) is None


def test_a_set_tells_its_scrips():
    """Whatever is wanted of them."""
    assert [1, 2, 3] == SET.codes

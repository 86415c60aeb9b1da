"""Message by message: the golden stories in both encodings, and what the reader is told."""

import pytest

from bse_client.answers import HubError
from bse_client.awaited_images import ASK_AGAIN_MS
from bse_client.commands import Asked, Want
from bse_client.events import Gap, QualityChanged, QuoteChanged, Restored
from bse_client.fields import Quality
from bse_client.follower import Follower
from bse_client.messages import LostChanges
from bse_client.testing import (
    heartbeat,
    image,
    resumed,
    subscribed,
    update,
    welcome,
)
from bse_client.testing.builders import EPOCH, RELIANCE, SENT_MS, TCS
from bse_client.wire import decode


CODE = RELIANCE.code


@pytest.fixture
def follower():
    """A follower that shows RELIANCE live, and has told so."""
    follower = Follower()
    for message in (
        welcome(),
        subscribed(RELIANCE),
        image(last_paise=100),
        heartbeat(),
    ):
        follower.receive(message, 0)
    events_of(follower, 0)
    return follower


def events_of(follower, now_ms):
    """Everything that the reader is told now."""
    events = []
    while event := follower.mailbox.take(lambda code: follower.quote(code, now_ms)):
        events.append(event)
    return events


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_golden_stories(vectors, encoding):
    """After each step of each golden story exactly the promised quotes are shown."""
    for story in vectors["stories"]:
        follower = Follower()
        for number, step in enumerate(story["steps"]):
            check(follower, step, encoding, f"{story['name']}, step {number}")


def check(follower, step, encoding, where):
    """Take one step of a story and look."""
    now, again = step["at_ms"], []
    if step.get("lost"):
        follower.disconnected(now)
    elif frame := step.get(encoding):
        if encoding == "msgpack":
            frame = bytes.fromhex(frame)
        again = follower.receive(decode(frame), now, asked_of(step))
    else:
        follower.check(now)
    assert again == step.get("ask_images", again), where
    for code, members in step["then"].items():
        quote = follower.quote(int(code), now)
        assert {name: getattr(quote, name) for name in members} == members, where
    for code in step.get("absent", ()):
        assert follower.quote(code, now) is None, where
    if "positions" in step:
        asks = [list(p) for part in follower.restore() for p in part.positions]
        assert asks == step["positions"], where
    assert follower.digest_mismatches == step.get(
        "mismatches", follower.digest_mismatches
    )
    check_events(events_of(follower, now), step, where)


def asked_of(step):
    """The command that the step's message answers."""
    if "asked" not in step:
        return (
            Asked("subscribe", ("RELIANCE",), Want.of())
            if follows_a_subscribe(step)
            else None
        )
    options = dict(step["asked"])
    op = options.pop("op")
    return Asked(
        op, want=Want.of(), positions=tuple(map(tuple, options.pop("positions", ())))
    )


def follows_a_subscribe(step):
    """In the stories every set is one that the client asked for."""
    return '"type":"subscribed"' in step["json"]


def check_events(events, step, where):
    """What the reader is told in a step."""
    if "rows" in step:
        rows = [e.quote for e in events if isinstance(e, QuoteChanged)]
        assert [[q.sequence, q.last_paise] for q in rows] == step["rows"], where
    if "lost_changes" in step:
        lost = [e for e in events if isinstance(e, LostChanges)]
        told = [[e.code, e.from_sequence, e.to_sequence] for e in lost]
        assert told == step["lost_changes"], where


def test_events_of_a_gap(follower):
    """A gap is told with its span, the scrip turns stale, and its image makes it live again."""
    assert follower.receive(update(after=15, to=16, last_paise=9), 10) == [CODE]
    gap, stale = events_of(follower, 10)
    assert gap == Gap("RELIANCE", CODE, 12, 15)
    assert gap.span == 3
    assert (stale.before, stale.after) == (Quality.LIVE, Quality.STALE)
    follower.receive(image(sequence=16, last_paise=9), 20)
    changed, live = events_of(follower, 20)
    assert isinstance(changed, QuoteChanged)
    assert changed.is_image
    assert changed.changed_fields == {"last"}
    assert live.after is Quality.LIVE


def test_a_lost_image_is_asked_for_again(follower):
    """When no image comes after a gap, heartbeats ask again, with a pause between."""
    follower.receive(update(after=15, to=16), 0)
    asked = []
    for now in range(1_000, 2 * ASK_AGAIN_MS + 1_000, 1_000):
        beat = heartbeat(server_time_ms=SENT_MS + now)
        asked += [now] * len(follower.receive(beat, now))
    assert asked == [ASK_AGAIN_MS, 2 * ASK_AGAIN_MS]


def test_the_outcome_of_a_return(follower):
    """After a reconnect the reader is told which scrips went on and which began anew, once."""
    follower.subscriptions.own = {CODE: Want.of(), TCS.code: Want.of()}
    follower.disconnected(10)
    (part,) = follower.restore()
    assert part.positions == ((CODE, EPOCH, 12),)
    assert part.names == (str(TCS.code),)
    follower.receive(resumed(RELIANCE), 20, Asked("resume", positions=part.positions))
    follower.receive(subscribed(RELIANCE, TCS), 20, Asked("subscribe", part.names))
    follower.restored(is_return=True)
    outcomes = [e for e in events_of(follower, 20) if isinstance(e, Restored)]
    assert outcomes == [Restored((CODE,), (TCS.code,))]
    follower.restored(is_return=False)
    assert events_of(follower, 20) == []


def test_scrips_yet_to_be_restored_stay_visible(follower):
    """While a large set comes back in portions, the rest is shown stale rather than not at all."""
    follower.subscriptions.own = {CODE: Want.of(), TCS.code: Want.of()}
    follower.disconnected(10)
    follower.receive(subscribed(TCS), 20, Asked("subscribe", ("TCS",)))
    assert follower.quote(CODE, 20).quality is Quality.STALE
    assert follower.subscriptions.code_of("reliance") == CODE
    follower.restored(is_return=True)
    assert follower.quote(CODE, 20) is None


def test_a_flapping_connection_makes_all_stale(follower):
    """A disconnect is told as a change of quality, and old quotes stay stale until re-imaged."""
    follower.disconnected(10)
    assert follower.quote(CODE, 10).quality is Quality.STALE
    for message in (welcome("s-2"), subscribed(RELIANCE), heartbeat()):
        follower.receive(message, 20)
    assert follower.quote(CODE, 20).quality is Quality.STALE
    assert follower.receive(update(last_paise=666), 20) == []
    assert follower.quote(CODE, 20).last_paise == 100
    assert [e for e in events_of(follower, 20) if isinstance(e, QualityChanged)]


def test_no_permission_outlives_its_connection(follower):
    """What a heartbeat allowed on one connection allows nothing on the next one."""
    follower.disconnected(10)
    for message in (subscribed(RELIANCE), image(last_paise=1)):
        follower.receive(message, 20)
    assert follower.quote(CODE, 20).quality is Quality.STALE


def test_a_first_image_has_no_quality_before():
    """The first image is told once, even if its quality can't be shown as live."""
    fresh = Follower()
    fresh.receive(subscribed(RELIANCE), 0)
    fresh.receive(image(last_paise=1), 0)
    kinds = [type(event).__name__ for event in events_of(fresh, 0)]
    assert kinds == ["SubscriptionChanged", "QuoteChanged"]
    assert fresh.quote(CODE, 0).quality is Quality.STALE


def test_errors_of_commands(follower):
    """An error is told to the reader only if nobody waits for it."""
    error = HubError(1, "unknown_op", "")
    follower.receive(error, 1, Asked("subscribe", ("X",)))
    assert events_of(follower, 1) == []
    follower.receive(error, 1)
    assert events_of(follower, 1) == [error]

"""Message by message: the golden stories in both encodings, and what the reader is told."""

import pytest

from bse_client.events import Gap, QualityChanged, QuoteChanged
from bse_client.fields import Quality
from bse_client.follower import ASK_AGAIN_MS, Follower
from bse_client.messages import HubError
from bse_client.subscriptions import Asked
from bse_client.testing import heartbeat, image, subscribed, update, welcome
from bse_client.testing.builders import RELIANCE, SENT_MS
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
    if frame := step.get(encoding):
        is_text = encoding == "json"
        again = follower.receive(
            decode(frame if is_text else bytes.fromhex(frame)), now
        )
    else:
        follower.check(now)
    assert again == step.get("ask_images", again), where
    for code, members in step["then"].items():
        quote = follower.quote(int(code), now)
        assert {name: getattr(quote, name) for name in members} == members, where
    for code in step.get("absent", ()):
        assert follower.quote(code, now) is None, where


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

"""The observer, stepped by hand."""

import pytest
from prometheus_client import CollectorRegistry

from bse_monitor.loops.observe import Observer
from bse_monitor.metrics import MonitorMetrics
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import StoreSeen
from bse_monitor.rules.status import Health
from bse_shared.testing.fake_clock import FakeClock


class Scene:
    """What the next looks will see, and how long they take."""

    def __init__(self, clock, seen):
        self.clock = clock
        self.seen = seen
        self.takes_ms = 0

    async def look(self):
        self.clock.advance(self.takes_ms)
        return self.seen


@pytest.fixture
def scene(an_observation):
    """A platform in which all is well."""
    return Scene(FakeClock(), an_observation())


@pytest.fixture
def registry():
    """Where the metrics are."""
    return CollectorRegistry()


@pytest.fixture
def observer(scene, registry):
    """An observer of the scene."""
    return Observer(
        scene.look,
        Limits(),
        scene.clock,
        MonitorMetrics(registry),
        events_kept=5,
        view_stale_after_ms=10_000,
    )


async def test_before_the_first_look_the_view_is_down(observer):
    """And the monitor is not ready."""
    assert Health.DOWN is observer.view().status.health
    assert ["no look has been done yet"] == observer.not_ready()


async def test_a_step_looks_judges_and_keeps(observer, scene):
    """The view is as of the end of the look."""
    scene.takes_ms = 700
    await observer.step()
    view = observer.view()

    assert Health.OK is view.status.health
    assert (scene.clock.wall_ms(), 0) == (view.as_of_ms, view.age_ms)
    assert [] == observer.not_ready()


async def test_a_stuck_observer_shows_in_its_view(observer, scene):
    """The age grows without a look, and then the status is no longer ok."""
    await observer.step()
    as_of_ms = scene.clock.wall_ms()
    scene.clock.advance(10_500)
    view = observer.view()

    assert (as_of_ms, 10_500, Health.DEGRADED) == (
        view.as_of_ms,
        view.age_ms,
        view.status.health,
    )


async def test_changes_are_kept_newest_first_with_their_time(
    observer, scene, an_observation
):
    """Only changes: a hundred equal looks are no news."""
    await observer.step()
    scene.clock.advance(2000)
    await observer.step()
    scene.seen = an_observation(store=StoreSeen(True, 500))
    scene.clock.advance(2000)
    await observer.step()
    newest = observer.view().events[:2]

    assert [("store", "ok", "degraded"), ("overall", "ok", "degraded")] == [
        (e.change.part, e.change.was, e.change.now) for e in newest
    ]
    assert {scene.clock.wall_ms()} == {e.at_ms for e in newest}
    assert 5 == len(observer.view().events)


async def test_the_monitor_is_not_ready_without_the_store_and_recovers(
    observer, scene, an_observation
):
    """It says which store error."""
    scene.seen = an_observation(store=StoreSeen(False, error="refused"))
    await observer.step()
    away = observer.not_ready()
    scene.seen = an_observation()
    await observer.step()

    assert (["store: refused"], []) == (away, observer.not_ready())


async def test_every_look_is_measured(observer, scene, registry):
    """Its duration, and when it was."""
    scene.takes_ms = 300
    await observer.step()

    assert 0.3 == pytest.approx(registry.get_sample_value("monitor_look_seconds_sum"))
    assert scene.clock.wall_ms() / 1000 == registry.get_sample_value(
        "monitor_last_look_timestamp_seconds"
    )

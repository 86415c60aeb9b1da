"""The one line."""

from dataclasses import replace

from bse_monitor.dashboard.summary import summary_line
from bse_monitor.loops.observe import View
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import NOTHING_SEEN
from bse_monitor.rules.verdict import evaluate


def line(observation, age_ms=0):
    """The line of a view of that age."""
    return summary_line(View(evaluate(observation, Limits()), 0, age_ms, ()))


def test_all_is_well_at_a_glance(an_observation):
    """Services with their counts, and the age of the feed."""
    assert (
        "ok  fetcher 1/1  gateway 1/1  ws-hub 1/1  monitor 1/1  feed ok 1.2 s old"
        == line(an_observation())
    )


def test_the_feed_gets_older_with_the_view(an_observation):
    """A stuck observer cannot freeze its age."""
    assert line(an_observation(), 3000).endswith("feed ok 4.2 s old")


def test_the_worst_reason_is_told(an_observation):
    """With the number of the others."""
    whole = an_observation()
    gone = replace(whole, instances=whole.instances[2:])

    assert line(gone).endswith(
        "because fetcher down: no instance has sent a heartbeat (and 1 more)"
    )


def test_a_store_that_is_down_is_named():
    """It explains the rest."""
    assert line(NOTHING_SEEN).startswith("down  store down  fetcher 0/1  ")
    assert "feed unknown  because store down:" in line(NOTHING_SEEN)


def test_instances_that_are_gone_are_not_counted(an_observation, an_instance):
    """A rolling restart leaves records behind for ten minutes."""
    whole = an_observation()
    more = (
        *whole.instances,
        an_instance("gateway", "gone", age_ms=60_000),
        an_instance("gateway", "slow", ready=False),
    )

    assert "gateway 1/2" in line(replace(whole, instances=more))

"""The news of a look."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bse_monitor.rules.changes import changes
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import StoreSeen
from bse_monitor.rules.verdict import evaluate


def test_the_first_look_is_all_news(an_observation):
    """Everything was unknown before."""
    news = changes(None, evaluate(an_observation(), Limits()))

    assert ["overall", "store", "feed", "fetcher", "gateway", "ws-hub", "monitor"] == [
        change.part for change in news
    ]
    assert {"unknown"} == {change.was for change in news}


def test_a_lost_service_is_news_of_itself_and_of_the_whole(an_observation):
    """With the reasons of the new state."""
    whole = an_observation()
    before = evaluate(whole, Limits())
    after = evaluate(replace(whole, instances=whole.instances[1:]), Limits())

    assert [("overall", "ok", "down"), ("fetcher", "up", "down")] == [
        (change.part, change.was, change.now) for change in changes(before, after)
    ]
    assert ("no instance has sent a heartbeat",) == changes(before, after)[1].reasons


@given(st.booleans(), st.booleans(), st.integers(0, 4), st.integers(0, 4))
def test_changes_are_exactly_what_differs(an_observation, was, now, first, second):
    """None between equals; replayed onto the old states, they give the new ones."""
    whole = an_observation()

    def look(reachable, count):
        seen = replace(
            whole, store=StoreSeen(reachable, 1), instances=whole.instances[:count]
        )
        return evaluate(seen, Limits())

    before, after = look(was, first), look(now, second)
    states = {name: part.state for name, part in before.parts().items()}
    news = {change.part: change.now for change in changes(before, after)}
    overall = news.pop("overall", before.health.value)

    assert () == changes(before, before)
    assert after.health.value == overall
    assert {n: p.state for n, p in after.parts().items()} == {**states, **news}

"""The whole, judged: what holds for any mixture of trouble."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import Answer, StoreSeen
from bse_monitor.rules.status import Health
from bse_monitor.rules.verdict import evaluate


SERVICES = ("fetcher", "gateway", "ws-hub", "monitor", "stranger")


@st.composite
def observations(draw, an_instance, a_feed, an_observation):
    """Any look, at any mixture of trouble."""
    instances = tuple(
        an_instance(
            draw(st.sampled_from(SERVICES)),
            f"i-{n}",
            answer=draw(st.sampled_from([*Answer, None])),
            ready=draw(st.booleans()),
            age_ms=draw(st.integers(-5000, 9000)),
        )
        for n in range(draw(st.integers(0, 8)))
    )
    feed = a_feed(
        *draw(
            st.lists(
                st.one_of(st.none(), st.integers(0, 40_000)), min_size=1, max_size=3
            )
        ),
        silent_ms=draw(st.integers(0, 9000)),
        state=draw(st.sampled_from(["ok", "failing", "closed"])),
    )
    store = draw(
        st.sampled_from(
            [StoreSeen(True, 1), StoreSeen(True, 500), StoreSeen(False, error="gone")]
        )
    )
    return an_observation(instances=instances, feed=feed, store=store)


wanted = st.dictionaries(st.sampled_from(SERVICES), st.integers(1, 3))


@given(st.data(), wanted)
def test_overall_is_as_bad_as_the_worst_required_part(
    an_instance, a_feed, an_observation, data, names
):
    """Neither better nor worse."""
    looks = observations(an_instance, a_feed, an_observation)
    status = evaluate(data.draw(looks), Limits(wanted=names))
    severities = [part.health.severity for part in status.parts().values()]

    assert {"store", "feed", *names} == set(status.parts())
    assert max(severities) == status.health.severity


@given(st.data(), wanted)
def test_there_is_a_reason_unless_all_is_well(
    an_instance, a_feed, an_observation, data, names
):
    """At the top, and for every service and instance."""
    looks = observations(an_instance, a_feed, an_observation)
    status = evaluate(data.draw(looks), Limits(wanted=names))

    assert (status.health is Health.OK) == (not status.reasons)
    for found in status.services:
        assert (found.state == "up") == (not found.reasons)
        assert all(i.reasons for i in found.instances if i.state != "up")


@given(st.data(), wanted)
def test_a_heartbeat_less_never_improves_the_verdict(
    an_instance, a_feed, an_observation, data, names
):
    """Neither by removing the record nor by letting it age."""
    seen = data.draw(observations(an_instance, a_feed, an_observation))
    if not seen.instances:
        return
    lost = data.draw(st.sampled_from(seen.instances))
    others = tuple(i for i in seen.instances if i is not lost)
    beat = lost.heartbeat
    silent = replace(
        lost,
        heartbeat=an_instance(beat.service, beat.instance, age_ms=99_000).heartbeat,
    )
    before = evaluate(seen, Limits(wanted=names)).health.severity

    for after in (others, (*others, silent)):
        changed = replace(seen, instances=after)
        assert before <= evaluate(changed, Limits(wanted=names)).health.severity


@given(st.data(), wanted)
def test_the_store_s_loss_never_improves_the_verdict(
    an_instance, a_feed, an_observation, data, names
):
    """Knowing less is not being better."""
    seen = data.draw(observations(an_instance, a_feed, an_observation))
    blind = replace(seen, store=StoreSeen(False, error="gone"))

    assert Health.DOWN is evaluate(blind, Limits(wanted=names)).health


@given(st.data(), wanted)
def test_the_order_of_the_records_does_not_matter(
    an_instance, a_feed, an_observation, data, names
):
    """The store gives them in any order."""
    seen = data.draw(observations(an_instance, a_feed, an_observation))
    shuffled = data.draw(st.permutations(seen.instances))
    limits = Limits(wanted=names)

    assert evaluate(seen, limits) == evaluate(
        replace(seen, instances=tuple(shuffled)), limits
    )

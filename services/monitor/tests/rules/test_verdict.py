"""The whole, judged: narrated cases."""

from dataclasses import replace

from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import NOTHING_SEEN, Answer, StoreSeen
from bse_monitor.rules.status import Health
from bse_monitor.rules.verdict import aged, evaluate


def service(status, name):
    """The verdict on one service."""
    return next(s for s in status.services if s.name == name)


def test_all_is_well(an_observation):
    """No reasons, every expected service up."""
    status = evaluate(an_observation(), Limits())

    assert (Health.OK, ()) == (status.health, status.reasons)
    assert ["fetcher", "gateway", "ws-hub", "monitor"] == [
        s.name for s in status.services
    ]


def test_an_expected_service_that_nobody_has_seen_is_down(an_observation):
    """Also one that never started."""
    whole = an_observation()
    status = evaluate(replace(whole, instances=whole.instances[1:]), Limits())

    assert Health.DOWN is status.health
    assert ("fetcher down: no instance has sent a heartbeat",) == status.reasons


def test_one_of_two_is_enough_when_one_is_wanted(an_observation, an_instance):
    """A pod that was replaced a minute ago does not degrade the platform."""
    whole = an_observation()
    gone = an_instance("gateway", "g-0", age_ms=60_000)
    status = evaluate(replace(whole, instances=(*whole.instances, gone)), Limits())

    assert Health.OK is status.health
    assert (1, 1, "up") == (
        service(status, "gateway").up,
        service(status, "gateway").present,
        service(status, "gateway").state,
    )


def test_too_few_instances_degrade_a_service(an_observation):
    """Two gateways are wanted, one is up."""
    status = evaluate(an_observation(), Limits(wanted={"gateway": 2}))

    assert Health.DEGRADED is status.health
    assert ("gateway degraded: 1 of 2 instances are up",) == status.reasons


def test_a_service_whose_only_instance_is_not_ready_is_degraded(
    an_observation, an_instance
):
    """It may still serve what it has."""
    ailing = an_instance("gateway", "g-1", answer=Answer.NOT_READY, why=("no quotes",))
    status = evaluate(
        an_observation(instances=(ailing,)), Limits(wanted={"gateway": 1})
    )

    assert ("gateway degraded: g-1 is degraded: no quotes",) == status.reasons


def test_reasons_come_worst_first(an_observation, an_instance, a_feed):
    """What is down stands before what is degraded, whatever the part."""
    status = evaluate(
        an_observation(
            feed=a_feed(state="failing", last_error="HTTP 403"),
            instances=(an_instance("gateway", "g-1", answer=Answer.UNREACHABLE),),
        ),
        Limits(wanted={"gateway": 1}),
    )

    assert (
        "gateway down: g-1 is down: its /readyz is unreachable",
        "feed failing: source bse fails: HTTP 403",
    ) == status.reasons


def test_many_ailing_instances_are_counted_not_listed(an_observation, an_instance):
    """The reasons stay readable with a hundred pods down; those that still beat come first."""
    gone = [an_instance("gateway", f"g-{n}", age_ms=9000) for n in range(9)]
    slow = an_instance("gateway", "x", answer=Answer.SLOW)
    status = evaluate(
        an_observation(instances=(*gone, slow)), Limits(wanted={"gateway": 1})
    )
    reasons = service(status, "gateway").reasons

    assert "x is degraded: its /readyz is slow" == reasons[0]
    assert "and 5 more" == reasons[-1]
    assert 6 == len(reasons)


def test_a_service_that_nobody_expects_does_not_count(an_observation, an_instance):
    """It is shown, that is all."""
    whole = an_observation()
    stranger = an_instance("stranger", "s-1", answer=Answer.UNREACHABLE)
    status = evaluate(replace(whole, instances=(*whole.instances, stranger)), Limits())

    assert Health.OK is status.health
    assert ("down", 0) == (
        service(status, "stranger").state,
        service(status, "stranger").wanted,
    )


def test_without_the_store_all_is_down_and_the_store_is_named_first(an_observation):
    """Instances are judged by their answers to the probes meanwhile."""
    status = evaluate(
        an_observation(store=StoreSeen(False, error="connection refused")), Limits()
    )

    assert Health.DOWN is status.health
    assert "store down: connection refused" == status.reasons[0]
    assert "up" == service(status, "gateway").state


def test_a_slow_store_is_degraded(an_observation):
    """A round trip is the floor of every latency."""
    status = evaluate(an_observation(store=StoreSeen(True, 250)), Limits())

    assert ("store degraded: a round trip took 250 ms",) == status.reasons


def test_before_the_first_look_nothing_is_claimed():
    """Down, because nothing is known."""
    status = evaluate(NOTHING_SEEN, Limits())

    assert "store down: the monitor has not looked yet" == status.reasons[0]
    assert (
        "fetcher down: no instance is known: the store cannot be read" in status.reasons
    )


def test_an_old_view_is_never_ok(an_observation):
    """A stuck observer shows in the status itself."""
    status = evaluate(an_observation(), Limits())

    assert status is aged(status, 10_000, 10_000)
    assert Health.DEGRADED is aged(status, 10_001, 10_000).health
    assert ("this view is 14.0 s old: the monitor's own observer is stuck",) == (
        aged(status, 14_000, 10_000).reasons
    )


def test_an_old_view_of_a_platform_that_was_down_stays_down():
    """Age adds to what is wrong."""
    old = aged(evaluate(NOTHING_SEEN, Limits()), 60_000, 10_000)

    assert Health.DOWN is old.health

"""Alive, stuck, ready: what loops leave behind and probes read."""

from bse_shared.service.health import Health


def test_a_loop_that_makes_progress_is_not_stuck(clock, health):
    """Its time counts from the last step."""
    health.watch("poll", 30)
    for _ in range(5):
        clock.advance(29_000)
        health.progressed("poll")

    assert [] == health.stuck()


def test_a_silent_loop_is_stuck(clock, health):
    """Only a restart helps it, and the probe names it."""
    health.watch("poll", 30)
    health.watch("beat", 60)
    clock.advance(30_000)
    assert [] == health.stuck()

    clock.advance(1_000)
    assert ["poll: no progress for 31 s"] == health.stuck()


def test_a_failing_loop_lives(clock, health):
    """It tries again: a restart would not bring the store back."""
    health.watch("poll", 30)
    for _ in range(10):
        clock.advance(20_000)
        health.failed("poll", "store away")

    assert [] == health.stuck()


def test_an_endless_step_is_never_stuck(clock, health):
    """It bounds its own silence."""
    health.watch("follow", None)
    clock.advance(10**9)

    assert [] == health.stuck()


def test_one_or_two_failures_are_no_reason(health):
    """Three in a row are, until the next success."""
    health.watch("poll", 30)
    for _ in range(2):
        health.failed("poll", "store away")
    assert [] == health.reasons()

    health.failed("poll", "store away")
    assert ["poll: store away"] == health.reasons()
    health.progressed("poll")
    assert [] == health.reasons()


def test_an_endless_step_speaks_for_itself(health):
    """It finishes no step after it recovered, so its failures can't be held against it."""
    health.watch("follow", None)
    for _ in range(5):
        health.failed("follow", "bus silent")

    assert [] == health.reasons()


def test_all_reasons_are_told_draining_first(clock):
    """What the owner says, what loops say, and that the process is on its way out."""
    health = Health(clock, not_ready=lambda: ["not synced"])
    health.watch("poll", 30)
    for _ in range(3):
        health.failed("poll", "store away")
    health.draining = True

    assert ["draining", "not synced", "poll: store away"] == health.reasons()

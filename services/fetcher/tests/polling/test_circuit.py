"""When a source is left alone, and when it is asked again: by cases, and by simulated outages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.polling.circuit import FORBIDDEN_MAX_S, Circuit, CircuitRules, State


RULES = CircuitRules(opens_after=3, probe_after_s=3, forbidden_s=60)
JITTER = st.floats(0, 1, exclude_max=True)


def a_circuit(jitter=0.5):
    """A circuit whose jitter is always the same."""
    return Circuit(RULES, lambda: jitter)


def opened(at_ms=0.0):
    """A circuit that three failures opened."""
    circuit = a_circuit()
    for _ in range(3):
        assert circuit.try_start(at_ms)
        circuit.failed(at_ms)
    return circuit


def test_it_opens_after_the_third_failure_in_a_row():
    """One blip, or two, are none of its business."""
    circuit = a_circuit()
    for _ in range(5):
        circuit.failed(0)
        circuit.failed(0)
        assert State.CLOSED is circuit.state(0)
        circuit.succeeded(0)

    assert State.OPEN is opened().state(0)
    assert 1 == opened().opened


def test_nobody_asks_while_it_is_open_and_one_when_it_is_half_open():
    """The probe's outcome decides for all."""
    circuit = opened()
    assert not circuit.try_start(2_600)
    assert State.HALF_OPEN is circuit.state(2_700)
    assert circuit.try_start(2_700)
    assert not circuit.try_start(2_700)
    circuit.failed(2_800)
    assert State.OPEN is circuit.state(2_800)
    assert circuit.try_start(5_500)
    circuit.succeeded(5_500)

    assert State.CLOSED is circuit.state(5_500)
    assert circuit.try_start(5_500)
    assert circuit.try_start(5_500)


def test_a_probe_that_was_cancelled_is_made_by_the_next_one():
    """A process that changes its mind must not leave the source alone for ever."""
    circuit = opened()
    assert circuit.try_start(3_000)
    circuit.gave_up()

    assert circuit.try_start(3_000)


def test_the_tries_of_one_call_count_but_do_not_open_it():
    """One batch that always fails stops no other; the next call's failure makes it an outage."""
    circuit = a_circuit()
    circuit.failed(0)
    for _ in range(9):
        circuit.failed(0, again=True)
    assert State.CLOSED is circuit.state(0)
    assert 10 == circuit.failures
    circuit.failed(0)

    assert State.OPEN is circuit.state(0)


def test_a_probe_is_no_call_with_several_tries():
    """Its first failure opens the circuit again, and so does one that is called a later try."""
    circuit = opened()
    assert circuit.try_start(2_700)
    circuit.failed(2_700, again=True)

    assert State.OPEN is circuit.state(2_700)


@pytest.mark.parametrize("late_ms", [100, 2_699, 2_701])
def test_what_was_under_way_when_it_opened_does_not_prolong_the_outage(late_ms):
    """Sixteen calls that time out one after the other must not put the probe off."""
    circuit = opened()
    circuit.failed(late_ms)

    assert circuit.try_start(2_702)
    assert 1 == circuit.opened


def test_each_403_doubles_the_wait():
    """Quick retries prolong the block."""
    circuit = a_circuit()
    waits_s, now_ms = [], 0.0
    for _ in range(7):
        waits_s.append(circuit.forbidden(now_ms))
        now_ms += waits_s[-1] * 1000

    assert [60, 120, 240, 480, 960, 1800, 1800] == waits_s
    circuit.succeeded(now_ms)
    assert 60 == circuit.forbidden(now_ms)


def test_one_block_told_to_many_calls_is_one():
    """Sixteen batches that were under way must not double the wait sixteen times."""
    circuit = a_circuit()
    assert 60 == circuit.forbidden(0)
    assert 59 == circuit.forbidden(1_000)

    assert pytest.approx(59) == circuit.closed_in_s(1_000)
    assert circuit.try_start(60_000)
    assert 120 == circuit.forbidden(60_000)


@pytest.mark.parametrize("word", ["forbidden", "asked_to_wait"])
@pytest.mark.parametrize("late", ["succeeded", "failed", "asked_to_wait"])
def test_nothing_that_was_under_way_ends_a_block(word, late):
    """A slow answer to an earlier question, a failure, or a shorter pause: the source's longest word stands."""
    circuit = a_circuit()
    if word == "forbidden":
        circuit.forbidden(0)
    else:
        circuit.asked_to_wait(0, 60)
    if late == "asked_to_wait":
        circuit.asked_to_wait(1_000, 5)
    else:
        getattr(circuit, late)(1_000)

    assert State.OPEN is circuit.state(59_000)
    assert not circuit.try_start(59_999)
    assert circuit.try_start(63_001)


def test_a_probe_that_succeeded_is_over():
    """The next failure is a first one again, and no failed probe."""
    circuit = opened()
    assert circuit.try_start(2_700)
    circuit.succeeded(2_700)
    circuit.failed(2_700)

    assert State.CLOSED is circuit.state(2_700)
    assert 1 == circuit.failures


def test_every_failure_is_counted_whatever_its_kind():
    """Operators see how many there were in a row."""
    circuit = a_circuit()
    circuit.failed(0)
    circuit.asked_to_wait(0, 1)
    circuit.forbidden(2_000)

    assert 3 == circuit.failures


@given(st.integers(1, 12), JITTER)
def test_a_block_is_kept_for_about_its_time_and_never_above_the_limit(times, jitter):
    """A fifth more or less, so that nobody can tell our rhythm."""
    circuit, now_ms = a_circuit(jitter), 0.0
    for _ in range(times):
        wait_s = circuit.forbidden(now_ms)
        now_ms += wait_s * 1000
    due_s = min(60 * 2 ** (times - 1), FORBIDDEN_MAX_S)

    assert 0.8 * due_s <= wait_s <= 1.2 * due_s
    assert wait_s == pytest.approx(due_s * (0.8 + 0.4 * jitter))


def test_a_longer_word_prolongs_a_shorter_one():
    """A block that follows a pause of five seconds lasts as long as a block."""
    circuit = a_circuit()
    circuit.asked_to_wait(0, 5)
    assert 60 == circuit.forbidden(1_000)

    assert not circuit.try_start(60_999)
    assert circuit.try_start(61_000)


@given(st.floats(0.001, 3600), JITTER)
def test_a_pause_that_was_asked_for_is_kept(retry_after_s, jitter):
    """Not a millisecond less, at most a tenth more."""
    circuit = a_circuit(jitter)
    circuit.asked_to_wait(0, retry_after_s)

    assert not circuit.try_start(retry_after_s * 1000 - 1)
    assert circuit.try_start(retry_after_s * 1100 + 1)


@given(st.floats(0, 120), st.floats(0, 600), st.floats(0.05, 3), st.lists(JITTER))
def test_a_source_that_heals_is_used_again_within_one_interval(
    sick_from_s, sick_for_s, step_s, jitters
):
    """Whenever an outage begins and ends; and while it lasts, it is asked about once an interval."""
    jitters = iter([*jitters, *[0.5] * 10_000])
    circuit = Circuit(RULES, lambda: next(jitters))
    now_s, asked, recovered_s = 0.0, 0, None
    heals_s = sick_from_s + sick_for_s
    while recovered_s is None:
        if circuit.try_start(now_s * 1000):
            if sick_from_s <= now_s < heals_s:
                asked += 1
                circuit.failed(now_s * 1000)
            else:
                circuit.succeeded(now_s * 1000)
                recovered_s = now_s if now_s >= heals_s else None
        now_s += step_s

    assert recovered_s - heals_s <= RULES.probe_after_s + step_s
    assert asked <= RULES.opens_after + sick_for_s / (0.8 * RULES.probe_after_s) + 1


@given(st.lists(st.sampled_from(["ok", "failed", "forbidden", "wait", "gave_up"])))
def test_no_history_leaves_a_source_alone_for_ever(outcomes):
    """From any state, after the longest wait there is, somebody may ask."""
    circuit = a_circuit()
    for number, outcome in enumerate(outcomes):
        now_ms = number * 1000.0
        circuit.try_start(now_ms)
        match outcome:
            case "ok":
                circuit.succeeded(now_ms)
            case "failed":
                circuit.failed(now_ms)
            case "forbidden":
                circuit.forbidden(now_ms)
            case "wait":
                circuit.asked_to_wait(now_ms, 30)
            case _:
                circuit.gave_up()
    circuit.gave_up()

    assert circuit.try_start(len(outcomes) * 1000 + FORBIDDEN_MAX_S * 1200)


@pytest.mark.parametrize("now_ms", [0, 1_000, 2_699])
def test_it_says_how_long_it_will_stay_open(now_ms):
    """What an operator, and the poll loop, want to know."""
    assert pytest.approx(2.7 - now_ms / 1000) == opened().closed_in_s(now_ms)
    assert 0 == a_circuit().closed_in_s(now_ms)

"""One instance, judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_monitor.rules.instance_verdict import judge_instance
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import Answer


NOW_MS = 1_795_334_400_000

BADNESS = {"up": 0, "degraded": 1, "down": 2, "missing": 3}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer.READY, "up"),
        (Answer.NOT_READY, "degraded"),
        (Answer.SLOW, "degraded"),
        (Answer.GARBLED, "degraded"),
        (Answer.UNREACHABLE, "down"),
        (None, "up"),
    ],
)
def test_the_probe_decides_while_heartbeats_come(an_instance, answer, state):
    """Only a refused connection is down: a slow answer may be a slow machine."""
    status = judge_instance(an_instance(answer=answer), NOW_MS, Limits())

    assert state == status.state
    assert bool(status.reasons) == (state != "up")


def test_an_instance_without_heartbeats_is_missing_whatever_answers(an_instance):
    """Its address may belong to another process by now."""
    status = judge_instance(an_instance(age_ms=12_000), NOW_MS, Limits())

    assert ("missing", ("no heartbeat for 12.0 s",)) == (status.state, status.reasons)


def test_an_instance_that_says_it_is_not_ready_is_believed(an_instance):
    """The heartbeat's reasons stand where the probe has none."""
    seen = an_instance(ready=False, reasons=["no quotes yet"])
    status = judge_instance(seen, NOW_MS, Limits())

    assert ("degraded", ("no quotes yet",)) == (status.state, status.reasons)


def test_the_probe_s_reasons_are_shown(an_instance):
    """They are newer than the heartbeat's."""
    seen = an_instance(
        answer=Answer.NOT_READY, why=("draining",), ready=False, reasons=["old"]
    )

    assert ("draining",) == judge_instance(seen, NOW_MS, Limits()).reasons


def test_a_heartbeat_from_the_future_says_nothing(an_instance):
    """The store's clock stepped back: the instance may be long dead."""
    status = judge_instance(an_instance(age_ms=-60_000), NOW_MS, Limits())

    assert "missing" == status.state
    assert ("its heartbeat is dated 1 min ahead of the store's clock",) == (
        status.reasons
    )


@given(
    st.sampled_from([*Answer, None]),
    st.booleans(),
    st.integers(0, 20_000),
    st.integers(0, 20_000),
)
def test_an_older_heartbeat_is_never_a_better_one(
    an_instance, answer, is_ready, age_ms, more_ms
):
    """Silence never improves a verdict."""

    def judge(age_ms):
        seen = an_instance(answer=answer, ready=is_ready, age_ms=age_ms)
        return judge_instance(seen, NOW_MS, Limits())

    assert BADNESS[judge(age_ms).state] <= BADNESS[judge(age_ms + more_ms).state]


@given(
    st.sampled_from([*Answer, None]),
    st.booleans(),
    st.integers(-20_000, 20_000),
    st.lists(st.text(max_size=5)),
)
def test_there_is_a_reason_unless_it_is_up(an_instance, answer, is_ready, age_ms, why):
    """Also where the instance gave none, or only blank ones."""
    seen = an_instance(
        answer=answer, why=tuple(why), ready=is_ready, reasons=why, age_ms=age_ms
    )
    status = judge_instance(seen, NOW_MS, Limits())

    assert (status.state == "up") == (not status.reasons)
    assert all(status.reasons)

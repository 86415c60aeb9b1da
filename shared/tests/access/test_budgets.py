"""Laws of budgets, on a clock in hand."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.access.budgets import WINDOW_S, Budgets


STEPS = st.lists(st.floats(0, 30), min_size=1, max_size=80)


@given(STEPS, st.integers(1, 6))
def test_in_no_minute_more_than_the_limit(steps, limit):
    """Wherever the minute begins."""
    budgets, now_s, allowed = Budgets(), 0.0, []
    for step in steps:
        now_s += step
        if budgets.spend("a", limit, now_s).allowed:
            allowed.append(now_s)
    for begin in allowed:
        assert sum(begin <= at <= begin + WINDOW_S for at in allowed) <= limit


@given(STEPS, st.integers(1, 6))
def test_who_keeps_to_the_limit_is_never_refused(steps, limit):
    """At most the limit in 62 s: the window's coarseness is a second at either end."""
    budgets, now_s, sent = Budgets(), 0.0, []
    for step in steps:
        now_s += step
        if sum(at >= now_s - WINDOW_S - 2 for at in sent) < limit:
            sent.append(now_s)
            assert budgets.spend("a", limit, now_s).allowed


@given(STEPS, st.integers(1, 6))
def test_who_waits_as_he_is_told_is_let_in(steps, limit):
    """`reset_s` is enough, and remaining tells how many more go through now."""
    budgets, now_s = Budgets(), 0.0
    for step in steps:
        now_s += step
        spent = budgets.spend("a", limit, now_s)
        assert 0 <= spent.remaining <= limit
        if not spent.allowed:
            now_s += spent.reset_s
            assert budgets.spend("a", limit, now_s).allowed


def test_the_limit_is_exact():
    """Sixty asked in a minute, sixty let in, not one more; and all of it comes back."""
    budgets = Budgets()
    found = [budgets.spend("a", 60, 1_000 + n * 0.5) for n in range(100)]
    assert 60 == sum(each.allowed for each in found)
    assert [59, 58, 57] == [each.remaining for each in found[:3]]
    assert (False, 60, 0) == found[60][:3]
    assert 59 == budgets.spend("a", 60, 1_200).remaining


def test_callers_do_not_pay_for_each_other():
    """A budget each."""
    budgets = Budgets()
    assert not [budgets.spend("a", 1, 0) for _ in range(2)][-1].allowed
    assert budgets.spend("b", 1, 0).allowed


def test_what_was_spent_elsewhere_counts():
    """Also above the limit: two replicas may together have let in more."""
    budgets = Budgets()
    budgets.add("a", 7, 0)
    assert (False, 0) == budgets.look("a", 5, 0)[::2]
    assert not budgets.spend("a", 5, 0).allowed
    assert budgets.spend("a", 5, 61).allowed


def test_looking_costs_nothing():
    """Nor does it make a caller known."""
    budgets = Budgets()
    assert [True] * 3 == [budgets.look("a", 1, 0).allowed for _ in range(3)]
    assert 0 == len(budgets)


def test_a_flood_of_callers_is_bounded():
    """The one heard last is the last to be forgotten."""
    budgets = Budgets(callers_max=3)
    budgets.spend("me", 1, 0)
    for n in range(10):
        budgets.spend(f"n{n}", 1, 0)
        assert not budgets.spend("me", 1, 0).allowed
    assert 3 == len(budgets)


def test_a_clock_that_steps_back_wins_nothing():
    """What was spent stays spent."""
    budgets = Budgets()
    budgets.spend("a", 2, 100)
    budgets.spend("a", 2, 40)
    assert not budgets.spend("a", 2, 101).allowed

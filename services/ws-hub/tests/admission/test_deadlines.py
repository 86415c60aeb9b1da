"""What falls due when."""

from hypothesis import given
from hypothesis import strategies as st

from bse_ws_hub.admission.deadlines import Deadlines


steps = st.lists(
    st.tuples(st.just("set"), st.sampled_from("abc"), st.integers(0, 20))
    | st.tuples(st.just("drop"), st.sampled_from("abc"), st.just(0))
    | st.tuples(st.just("due"), st.just(""), st.integers(0, 20)),
    max_size=200,
)


@given(steps)
def test_as_a_plain_table_would_do_it(steps):
    """Each name once, at its latest setting, the earliest first."""
    deadlines, table = Deadlines(), {}
    for what, name, at_ms in steps:
        match what:
            case "set":
                deadlines.set(name, at_ms)
                table[name] = at_ms
            case "drop":
                deadlines.drop(name)
                table.pop(name, None)
            case "due":
                due = [n for n, at in table.items() if at <= at_ms]
                found = deadlines.due(at_ms)
                assert sorted(due) == sorted(found)
                assert [table[n] for n in found] == sorted(table[n] for n in due)
                for each in due:
                    del table[each]
        assert len(table) == len(deadlines)


def test_what_is_set_again_and_again_costs_no_memory():
    """A client that refreshes each second, for months."""
    deadlines = Deadlines()
    for at_ms in range(10_000):
        deadlines.set("a", at_ms)
    assert len(deadlines._heap) < 100
    assert [] == deadlines.due(9_998)
    assert ["a"] == deadlines.due(9_999)

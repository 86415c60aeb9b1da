"""What is in doubt is asked for again until it comes, at its own pace."""

from hypothesis import given
from hypothesis import strategies as st

from bse_client.awaited_images import ASK_AGAIN_MS, AwaitedImages


steps = st.lists(
    st.tuples(
        st.sampled_from(("ask", "came", "keep", "look")),
        st.sets(st.integers(0, 5)),
        st.integers(0, ASK_AGAIN_MS),
    )
)


@given(steps)
def test_each_is_asked_for_once_in_its_time_until_it_comes(steps):
    """As a table of times would do it."""
    awaited, table, now_ms = AwaitedImages(), {}, 0
    for what, codes, later_ms in steps:
        now_ms += later_ms
        match what:
            case "ask":
                awaited.asked(codes, now_ms)
                table |= dict.fromkeys(codes, now_ms)
            case "came":
                for code in codes:
                    awaited.came(code)
                    table.pop(code, None)
            case "keep":
                awaited.keep_only(codes)
                table = {c: at for c, at in table.items() if c in codes}
            case "look":
                due = {c for c, at in table.items() if now_ms - at >= ASK_AGAIN_MS}
                assert due == set(awaited.ask_again(now_ms))
                table |= dict.fromkeys(due, now_ms)
        assert bool(table) == bool(awaited)
    awaited.clear()
    assert not awaited

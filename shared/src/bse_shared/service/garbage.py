"""Keeps the cyclic garbage collector out of the hot path.

A market cycle makes tens of thousands of tuples that all live on; the default thresholds walk them again and
again (measured: 22 of 70 ms CPU of a 4,300-row cycle). Nothing on the hot path makes cycles.
"""

import gc


YOUNG_MAX = 100_000
"""New objects before a young collection (the default is 700)."""


def calm_garbage_collector() -> None:
    """Collect seldom, and leave what exists now out of every later collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, 20, 100)

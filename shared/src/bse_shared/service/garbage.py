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


PAUSE_YOUNG_MIN = 5_000
PAUSE_MIDDLE_MIN, PAUSE_OLD_MIN = 10, 100


def collect_in_a_pause() -> None:
    """Collect what is young, while nobody waits: a collection that comes by itself comes in the middle of the work
    (measured: 23 ms between two shards of a market cycle). Now and then it looks at what is older.
    """
    young, middle, old = gc.get_count()
    if young >= PAUSE_YOUNG_MIN:
        gc.collect(
            2 if old >= PAUSE_OLD_MIN else 1 if middle >= PAUSE_MIDDLE_MIN else 0
        )

"""The one place that makes random generators: always from a seed, never from the clock.

The pure rooms take the generator as an argument.
"""

import random


_MULTIPLIER = 1_000_003


def rng_for(*parts: int) -> random.Random:
    """Return the generator that belongs to these numbers."""
    seed = 0
    for part in parts:
        seed = seed * _MULTIPLIER + part
    return random.Random(seed)  # noqa: S311 - invents prices, keeps no secret

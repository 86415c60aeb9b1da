"""The two indices the simulator knows and the names they answer to."""

SENSEX = "BSE SENSEX"
BSE_100 = "BSE 100"

# Indices name -> (code at the exchange, invented previous close in paise).
INDICES = {SENSEX: (16, 8_200_000), BSE_100: (22, 2_600_000)}

_OLD_PREFIX = "S&P "
_SHORT = {"SENSEX": SENSEX, "BSE100": BSE_100, "100": BSE_100}


def canonical_index(name: str) -> str | None:
    """Return today's name of an index, also for its older and shorter names."""
    words = " ".join(name.upper().split()).removeprefix(_OLD_PREFIX)
    words = _SHORT.get(words, words)
    return words if words in INDICES else None

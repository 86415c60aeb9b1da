"""Rupees as a parser hands them over, and the whole paise that were meant. Pure; no source's habits in here."""

PAISE_MAX = 5_000_000_000
"""Rs 5 crore; beyond it a price is absurd (the dearest listings are bonds of a crore face value)."""

SHOWN_MAX = 60
"""How much of a bad value is named in a reason."""

NOISE_MAX_PAISE = 0.25


class BadValue(ValueError):
    """A value that no quote can have."""


def shown(value: object) -> str:
    """A bad value as it is named in a reason."""
    return repr(value)[:SHOWN_MAX]


def whole_paise(rupees: float, name: str) -> int | None:
    """The paise that were written with two decimals; None for 0. Raises BadValue where other digits were written.

    Taken is the nearest whole number, and only if, divided by a hundred, it gives back the very double that a
    parser makes of two decimals: no arithmetic on money is trusted without this proof.
    """
    scaled = rupees * 100
    if not 0 <= scaled <= PAISE_MAX:
        raise BadValue(f"{name} {shown(rupees)}")
    paise = round(scaled)
    if paise / 100 != rupees:
        raise BadValue(f"{name} {shown(rupees)} is not in whole paise")
    return paise or None


def nearest_paise(rupees: float, name: str) -> int | None:
    """The paise nearest to a price that went through single precision on its way; None for 0.

    Raises BadValue where the noise leaves two answers.
    """
    scaled = rupees * 100
    if not 0 <= scaled <= PAISE_MAX:
        raise BadValue(f"{name} {shown(rupees)}")
    paise = round(scaled)
    if abs(scaled - paise) > NOISE_MAX_PAISE:
        raise BadValue(f"{name} {shown(rupees)} is not in whole paise")
    return paise or None

"""How the exchange writes numbers: plain JSON, two decimals, Indian commas.

All amounts come in as hundredths (paise, or hundredths of a percent or lakh) and are
written with integer arithmetic, so every digit is exact.
"""

HUNDRED = 100
PAISE_PER_LAKH = 10_000_000
PAISE_PER_CRORE = 1_000_000_000
SHARES_PER_LAKH = 100_000
_BASIS = 10_000


def json_number(hundredths: int) -> str:
    """Write a JSON number the way .NET does: 1560.0, 1425.9, 1439.65."""
    if hundredths < 0:
        return "-" + json_number(-hundredths)
    part = hundredths % HUNDRED
    if part % 10:
        return f"{hundredths // HUNDRED}.{part:02d}"
    return f"{hundredths // HUNDRED}.{part // 10}"


def two_decimals(hundredths: int) -> str:
    """Write two decimals without commas: 1003.95, -1.55."""
    sign = "-" if hundredths < 0 else ""
    whole, part = divmod(abs(hundredths), HUNDRED)
    return f"{sign}{whole}.{part:02d}"


def indian_digits(whole: int) -> str:
    """Group a whole number the Indian way: 396428 becomes 3,96,428."""
    digits = str(whole)
    head, tail = digits[:-3], digits[-3:]
    groups = []
    while head:
        groups.append(head[-2:])
        head = head[:-2]
    return ",".join([*reversed(groups), tail])


def indian(hundredths: int) -> str:
    """Write two decimals with Indian commas: 4,07,450.97."""
    sign = "-" if hundredths < 0 else ""
    whole, part = divmod(abs(hundredths), HUNDRED)
    return f"{sign}{indian_digits(whole)}.{part:02d}"


def signed(hundredths: int) -> str:
    """Write two decimals with commas and an explicit sign: +250.32."""
    return ("+" if hundredths >= 0 else "") + indian(hundredths)


def rounded(numerator: int, denominator: int) -> int:
    """Divide, rounding half away from zero."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    above, below = abs(numerator), abs(denominator)
    return sign * ((2 * above + below) // (2 * below))


def percent(change: int, base: int) -> int:
    """Return a change in hundredths of a percent, 0 without a base."""
    return rounded(change * _BASIS, base) if base else 0

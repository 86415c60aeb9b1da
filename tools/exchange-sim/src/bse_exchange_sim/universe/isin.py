"""ISIN check digits (ISO 6166): letters become two digits, then Luhn."""

ISIN_LENGTH = 12
_BODY_LENGTH = ISIN_LENGTH - 1
_NINE = 9


def check_digit(body: str) -> str:
    """Return the twelfth character that belongs to the first eleven."""
    digits = "".join(str(int(character, 36)) for character in body)
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - _NINE if value > _NINE else value
    return str(-total % 10)


def is_valid(isin: str) -> bool:
    """Tell whether a text is an ISIN with the right check digit."""
    if len(isin) != ISIN_LENGTH or not isin.isascii() or not isin.isalnum():
        return False
    return check_digit(isin[:_BODY_LENGTH]) == isin[_BODY_LENGTH]


def invented_isin(number: int) -> str:
    """Return a well-formed ISIN that no real security has (issuer type X)."""
    body = f"INX{number:06d}01"
    return body + check_digit(body)

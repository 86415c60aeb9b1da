"""JSON with exact decimals: rupees, points and percent out of hundredths."""

from decimal import Decimal
from typing import Any

import msgspec


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def rupees(hundredths: int | None) -> Decimal | None:
    """Hundredths of anything as such. Two decimals exactly; None stays unknown."""
    return None if hundredths is None else Decimal(hundredths).scaleb(-2)


def encoded(content: Any) -> bytes:
    """The content as JSON, decimals as numbers."""
    return _ENCODER.encode(content)

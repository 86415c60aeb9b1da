"""What people type for a scrip, and why there may be nothing for it. Pure."""

from enum import StrEnum
from typing import NamedTuple


IDENTIFIER_LENGTH_MAX = 40
ECHO_LENGTH_MAX = 64
"""So much of a wrong identifier, or of any other name that a caller made up, is told back."""


class Reason(StrEnum):
    """Why there is no quote for an identifier."""

    INVALID_SYMBOL = "invalid_symbol"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NO_QUOTE = "no_quote"


_SENTENCES = {
    Reason.INVALID_SYMBOL: f"Not a symbol, scrip code or ISIN: 1 to {IDENTIFIER_LENGTH_MAX}"
    " printable ASCII characters are.",
    Reason.UNKNOWN_SYMBOL: "No scrip has this symbol, scrip code or ISIN.",
    Reason.NO_QUOTE: "The scrip is known, but no quote of it has arrived yet.",
}


class Miss(NamedTuple):
    """An identifier without a quote, as it was sent (cut where long), and why."""

    symbol: str
    reason: Reason

    @property
    def message(self) -> str:
        """The reason as a sentence."""
        return _SENTENCES[self.reason]


def distinct(symbols: str) -> list[str]:
    """The identifiers of a comma-separated list, each once whatever its case, blanks left out."""
    found: dict[str, str] = {}
    for piece in symbols.split(","):
        if text := piece.strip():
            found.setdefault(text.upper(), text)
    return list(found.values())


def is_identifier(text: str) -> bool:
    """Whether it can be one at all."""
    return (
        0 < len(text) <= IDENTIFIER_LENGTH_MAX and text.isascii() and text.isprintable()
    )


def echo(identifier: str) -> str:
    """What of a malformed identifier is told back: cut, and without halves of characters (JSON can send these)."""
    return identifier[:ECHO_LENGTH_MAX].encode(errors="replace").decode()

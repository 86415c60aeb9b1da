"""Secrets that people copy and paste: a visible prefix and id, a random part, a checksum against typing errors.

What is stored of them is a keyed digest: a dump of the store opens nothing without the pepper.
"""

import hashlib
import hmac
import string
import zlib
from collections.abc import Callable


ALPHABET = string.ascii_letters + string.digits
ID_ALPHABET = string.ascii_lowercase + string.digits
SECRET_LENGTH = 32
"""190 bits: not to be guessed, so a fast digest serves."""

Choose = Callable[[str], str]
"""Draws a character of the alphabet; `secrets.choice` outside tests."""


def draw(alphabet: str, length: int, choose: Choose) -> str:
    """Random text."""
    return "".join(choose(alphabet) for _ in range(length))


def with_checksum(text: str) -> str:
    """The text and its CRC-32."""
    return f"{text}_{_checksum(text)}"


def checksum_holds(text: str) -> bool:
    """Whether the text ends in the CRC-32 of the rest."""
    rest, _, checksum = text.rpartition("_")
    return checksum == _checksum(rest)


def keyed_digest(pepper: bytes, purpose: str, text: str) -> str:
    """HMAC-SHA-256. The purpose keeps a digest of one kind from passing as one of another."""
    return hmac.new(pepper, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare digests in constant time."""
    return hmac.compare_digest(one, other)


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"

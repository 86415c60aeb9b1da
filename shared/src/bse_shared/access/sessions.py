"""Refresh tokens, `bsr_<16 id>_<32 random>_<crc>`, and the family of all that follow from one sign-in.

Each is good once: showing one a second time means that two hold it, and ends the family.
"""

import hashlib
import re
from typing import NamedTuple

import msgspec

from bse_shared.access.principal import Principal
from bse_shared.access.secret_text import (
    ALPHABET,
    SECRET_LENGTH,
    Choose,
    checksum_holds,
    draw,
    keyed_digest,
    with_checksum,
)


PREFIX = "bsr_"
FAMILY_ID_LENGTH = 16
SESSION_ID_LENGTH = 32

_SHAPE = re.compile(
    rf"bsr_([A-Za-z0-9]{{{FAMILY_ID_LENGTH}}})_([A-Za-z0-9]{{{SECRET_LENGTH}}})_[0-9a-f]{{8}}"
)


class RefreshToken(NamedTuple):
    """A refresh token as the client holds it."""

    family_id: str
    secret: str

    @property
    def text(self) -> str:
        """What the client sends."""
        return with_checksum(f"{PREFIX}{self.family_id}_{self.secret}")

    def digest(self, pepper: bytes) -> str:
        """What is stored of it."""
        return keyed_digest(pepper, f"refresh/{self.family_id}", self.secret)

    def successor(self, choose: Choose) -> "RefreshToken":
        """The next one of the family."""
        return self._replace(secret=draw(ALPHABET, SECRET_LENGTH, choose))


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in and all that follows from it. `api_key_id` must still be good at each refresh."""

    family_id: str
    api_key_id: str
    sub: str
    scopes: list[str]
    expires_at_ms: int

    @property
    def session_id(self) -> str:
        """The family's name in tokens, from which nobody can tell the family's id."""
        digest = hashlib.sha256(self.family_id.encode()).hexdigest()
        return digest[:SESSION_ID_LENGTH]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /api/subscribe` hands out, for the hub to redeem once: this client id, as this principal."""

    client_id: str
    principal: Principal


def new_refresh_token(choose: Choose) -> RefreshToken:
    """The first token of a new family."""
    return RefreshToken(
        draw(ALPHABET, FAMILY_ID_LENGTH, choose), draw(ALPHABET, SECRET_LENGTH, choose)
    )


def parse_refresh_token(text: str) -> RefreshToken | None:
    """The token that the text is, or None: a slip of the hand must not end a family."""
    shape = _SHAPE.fullmatch(text)
    return RefreshToken(*shape.groups()) if shape and checksum_holds(text) else None

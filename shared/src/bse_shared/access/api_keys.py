"""API keys: `bsq_<live|demo>_<8 id>_<32 random>_<crc>`, the record kept of one, and when a key opens.

A record has one id for life and up to two live secrets, so that a key is rotated without a gap.
"""

import re
from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

from bse_shared.access.principal import Principal
from bse_shared.access.roles import GRANTABLE, granted
from bse_shared.access.secret_text import (
    ALPHABET,
    ID_ALPHABET,
    SECRET_LENGTH,
    Choose,
    checksum_holds,
    draw,
    keyed_digest,
    same,
    with_checksum,
)


PREFIX = "bsq_"
ID_LENGTH = 8
LIVE_SECRETS_MAX = 2

Kind = Literal["live", "demo"]

_SHAPE = re.compile(
    rf"bsq_(live|demo)_([a-z0-9]{{{ID_LENGTH}}})_([A-Za-z0-9]{{{SECRET_LENGTH}}})_[0-9a-f]{{8}}"
)


class KeyReason(StrEnum):
    """Why an API key opens nothing."""

    MALFORMED = "malformed_key"
    CHECKSUM = "key_checksum"
    UNKNOWN = "unknown_api_key"
    EXPIRED = "expired_key"
    REVOKED = "revoked_key"
    DEMO = "demo_key"


class KeyRefused(Exception):
    """The key opens nothing."""

    def __init__(self, reason: KeyReason):
        super().__init__(reason.value)
        self.reason = reason


class ApiKey(NamedTuple):
    """A key as its owner holds it."""

    kind: Kind
    key_id: str
    secret: str

    @property
    def text(self) -> str:
        """What the owner sends."""
        return with_checksum(f"{PREFIX}{self.kind}_{self.key_id}_{self.secret}")


class KeySecret(msgspec.Struct, frozen=True, kw_only=True):
    """One secret of a key, by its keyed digest."""

    digest: str
    created_at_ms: int
    expires_at_ms: int | None = None


class ApiKeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a key: nothing that opens anything."""

    key_id: str
    kind: Kind
    name: str
    role: str
    scopes: list[str]
    secrets: list[KeySecret]
    created_at_ms: int
    created_by: str
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None

    @property
    def sub(self) -> str:
        """The subject of the key and of all tokens got with it."""
        return f"key:{self.key_id}"

    def is_live(self, now_ms: int) -> bool:
        """Whether it is neither revoked nor past its end."""
        return self.revoked_at_ms is None and not _past(self.expires_at_ms, now_ms)

    def live_secrets(self, now_ms: int) -> list[KeySecret]:
        """The secrets that open it, the oldest first."""
        held = [s for s in self.secrets if not _past(s.expires_at_ms, now_ms)]
        return held if self.is_live(now_ms) else []


DEMO_KEY = ApiKey("demo", "demo0000", "demo" * (SECRET_LENGTH // 4))
"""The same everywhere, so that a local run can print it. Opens nothing in production."""


def new_key(kind: Kind, choose: Choose) -> ApiKey:
    """A key that nobody holds yet."""
    return ApiKey(
        kind,
        draw(ID_ALPHABET, ID_LENGTH, choose),
        draw(ALPHABET, SECRET_LENGTH, choose),
    )


def parse(text: str) -> ApiKey:
    """The key that the text is. Raises KeyRefused."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise KeyRefused(KeyReason.MALFORMED)
    if not checksum_holds(text):
        raise KeyRefused(KeyReason.CHECKSUM)
    kind, key_id, secret = shape.groups()
    return ApiKey("demo" if kind == "demo" else "live", key_id, secret)


def digest(key: ApiKey, pepper: bytes) -> str:
    """What is stored of the secret; bound to the kind and id that it came with."""
    return keyed_digest(pepper, f"api-key/{key.kind}/{key.key_id}", key.secret)


def rotated(
    record: ApiKeyRecord, key: ApiKey, pepper: bytes, now_ms: int, grace_ms: int
) -> ApiKeyRecord:
    """The record with the new secret; of the older ones only the newest lives on, for `grace_ms`."""
    held = record.live_secrets(now_ms)[-(LIVE_SECRETS_MAX - 1) :]
    until_ms = now_ms + grace_ms
    ending = [
        msgspec.structs.replace(
            secret, expires_at_ms=min(secret.expires_at_ms or until_ms, until_ms)
        )
        for secret in held
    ]
    fresh = KeySecret(digest=digest(key, pepper), created_at_ms=now_ms)
    return msgspec.structs.replace(record, secrets=[*ending, fresh])


def admit(
    key: ApiKey, record: ApiKeyRecord | None, pepper: bytes, now_ms: int
) -> Principal:
    """The principal that the key proves now. Raises KeyRefused; a wrong secret is told as an unknown key."""
    sent = digest(key, pepper)
    held = record.secrets if record else []
    # No early end: how long it takes tells nothing of how near a guess was.
    matching = [secret for secret in held if same(sent, secret.digest)]
    if record is None or not matching or record.role not in GRANTABLE:
        raise KeyRefused(KeyReason.UNKNOWN)
    if record.revoked_at_ms is not None:
        raise KeyRefused(KeyReason.REVOKED)
    ends_ms = [
        ms for ms in (record.expires_at_ms, matching[0].expires_at_ms) if ms is not None
    ]
    if ends_ms and now_ms >= min(ends_ms):
        raise KeyRefused(KeyReason.EXPIRED)
    return Principal(
        sub=record.sub,
        role=record.role,
        scopes=granted(record.role, frozenset(record.scopes)),
        issued_at_ms=now_ms,
        expires_at_ms=min(ends_ms) if ends_ms else None,
        key_id=record.key_id,
    )


def _past(end_ms: int | None, now_ms: int) -> bool:
    return end_ms is not None and now_ms >= end_ms

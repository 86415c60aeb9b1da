"""The public halves of signing keys as they are published (RFC 7517, RFC 8037), and the set that tokens are checked against.

A key's id is the thumbprint of its own bytes (RFC 7638), so an id cannot be given to another key.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class SigningKeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A public key. Its signer renews `verify_until_ms` while it signs; then its last tokens run out."""

    key_id: str
    x: str
    verify_until_ms: int


def record_of(public: Ed25519PublicKey, verify_until_ms: int) -> SigningKeyRecord:
    """What is published of a key."""
    x = base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=").decode()
    return SigningKeyRecord(key_id=_thumbprint(x), x=x, verify_until_ms=verify_until_ms)


def key_ring(
    records: Iterable[SigningKeyRecord], now_ms: int
) -> dict[str, Ed25519PublicKey]:
    """The keys to check tokens with. Records that are not what their id says are passed over."""
    found = {}
    for record in records:
        if record.verify_until_ms > now_ms and record.key_id == _thumbprint(record.x):
            try:
                raw = base64.urlsafe_b64decode(record.x + "=")
                found[record.key_id] = Ed25519PublicKey.from_public_bytes(raw)
            except (ValueError, UnsupportedAlgorithm):
                continue
    return found


def jwks_document(records: Iterable[SigningKeyRecord], now_ms: int) -> dict[str, Any]:
    """The JWK set."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": "EdDSA",
                "kid": record.key_id,
                "x": record.x,
            }
            for record in sorted(records, key=lambda r: r.key_id)
            if record.verify_until_ms > now_ms
        ]
    }


def _thumbprint(x: str) -> str:
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode(errors="replace")
    digest = hashlib.sha256(members).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

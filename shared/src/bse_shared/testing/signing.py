"""A signing key of a test, and tokens signed with it."""

import secrets
from collections.abc import Mapping

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bse_shared.access.signing_keys import record_of
from bse_shared.pacing.clock import Clock


class Signing:
    """Signs tokens as the gateway does, good or bad."""

    def __init__(self, clock: Clock) -> None:
        self.private = Ed25519PrivateKey.generate()
        self._clock = clock
        until_ms = clock.wall_ms() + 3_600_000
        self.record = record_of(self.private.public_key(), until_ms)

    def token(
        self,
        sub: str = "key:abc",
        role: str = "trader",
        lifetime_s: int = 600,
        age_s: int = 0,
        headers: Mapping[str, object] | None = None,
        **changed: object,
    ) -> str:
        """A token, made `age_s` ago, with these claims and headers changed."""
        now_s = self._clock.wall_ms() // 1000 - age_s
        claims: dict[str, object] = {
            "iss": "bse-gateway",
            "aud": "bse-quotes",
            "sub": sub,
            "jti": secrets.token_hex(4),
            "role": role,
            "scope": "quotes:read stream:read subscriptions:write",
            "iat": now_s,
            "exp": now_s + lifetime_s,
            **changed,
        }
        return jwt.encode(
            claims,
            self.private,
            algorithm="EdDSA",
            headers={"typ": "at+jwt", "kid": self.record.key_id, **(headers or {})},
        )

"""The private signing key, which no other service has, and what is signed with it."""

from collections.abc import Iterable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bse_shared.access.principal import Principal
from bse_shared.access.signing_keys import SigningKeyRecord, record_of
from bse_shared.access.tokens import ALGORITHM, TYPE, TokenRules


class Signer:
    """Signs access tokens."""

    def __init__(self, private_key: Ed25519PrivateKey, rules: TokenRules):
        self._key = private_key
        self._public = private_key.public_key()
        self._rules = rules
        self.key_id = record_of(self._public, 0).key_id

    def published(self, verify_until_ms: int) -> SigningKeyRecord:
        """The public half."""
        return record_of(self._public, verify_until_ms)

    def access_token(
        self, principal: Principal, scopes: Iterable[str], issued_s: int, expires_s: int
    ) -> str:
        """A token for the principal's `sub`, `role`, `jti` and session."""
        claims: dict[str, Any] = {
            "iss": self._rules.issuer,
            "aud": self._rules.audience,
            "sub": principal.sub,
            "jti": principal.jti,
            "role": principal.role,
            "scope": " ".join(sorted(scopes)),
            "iat": issued_s,
            "exp": expires_s,
        }
        if principal.session_id:
            claims["sid"] = principal.session_id
        headers = {"typ": TYPE, "kid": self.key_id}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=headers)

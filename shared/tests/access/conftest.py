"""A signing key, and tokens signed with it as the gateway signs them."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.api_jws import PyJWS

from bse_shared.access.signing_keys import key_ring, record_of
from bse_shared.access.tokens import TokenRules


NOW_S = 1_795_334_400
RULES = TokenRules("https://gateway.example", "quotes")


class Mint:
    """Signs what it is told to, good or bad."""

    def __init__(self):
        self.private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        self.record = record_of(self.private.public_key(), (NOW_S + 3600) * 1000)
        self.keys = key_ring([self.record], NOW_S * 1000)

    def claims(self, **changed):
        """Good claims; a change to None leaves the claim out."""
        good = {
            "iss": RULES.issuer,
            "aud": RULES.audience,
            "sub": "key:abcd1234",
            "jti": "t-1",
            "role": "trader",
            "scope": "quotes:read stream:read",
            "iat": NOW_S,
            "exp": NOW_S + 600,
        }
        return {k: v for k, v in {**good, **changed}.items() if v is not None}

    def token(self, claims=None, **headers):
        """A token with these claims."""
        payload = json.dumps(self.claims() if claims is None else claims)
        return PyJWS().encode(
            payload.encode(),
            self.private,
            algorithm="EdDSA",
            headers={"typ": "at+jwt", "kid": self.record.key_id, **headers},
        )


@pytest.fixture(scope="session")
def mint():
    """The one who signs."""
    return Mint()

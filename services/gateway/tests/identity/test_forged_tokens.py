"""Forged and hostile credentials at a real route: each is a 401 of its own reason."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.api_jws import PyJWS

from bse_shared.access.api_keys import DEMO_KEY, ApiKey
from bse_shared.testing.builders import TCS, a_quote


def b64(data):
    """As tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Forger:
    """Knows all that an attacker may: a good token's form, the public key. And, to test the claims, the private one."""

    def __init__(self, identity, now_s):
        self.now_s = now_s
        self.kid = identity.signer.key_id
        self.private = identity.signer._key
        public = self.private.public_key()
        self.public_raw = public.public_bytes_raw()
        self.public_pem = public.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def header(self, **changed):
        """A header; None leaves a member out."""
        good = {"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid, **changed}
        return {k: v for k, v in good.items() if v is not None}

    def claims(self, **changed):
        """Claims; None leaves one out."""
        good = {
            "iss": "bse-gateway",
            "aud": "bse-quotes",
            "sub": "key:abcd1234",
            "jti": "j-1",
            "role": "admin",
            "scope": "quotes:read keys:admin",
            "iat": self.now_s,
            "exp": self.now_s + 600,
            **changed,
        }
        return {k: v for k, v in good.items() if v is not None}

    def signed(self, header=None, claims=None, key=None):
        """Really signed with EdDSA, whatever the header says."""
        head = (
            header
            if isinstance(header, bytes)
            else json.dumps(header or self.header()).encode()
        )
        body = (
            claims
            if isinstance(claims, bytes)
            else json.dumps(claims or self.claims()).encode()
        )
        text = f"{b64(head)}.{b64(body)}"
        return f"{text}.{b64((key or self.private).sign(text.encode()))}"

    def with_hmac(self, alg, secret):
        """The classical confusion: the public key as the secret."""
        text = f"{b64(json.dumps(self.header(alg=alg)).encode())}.{b64(json.dumps(self.claims()).encode())}"
        digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        return f"{text}.{b64(digest)}"

    def unsigned(self, alg="none"):
        """No signature."""
        return f"{b64(json.dumps(self.header(alg=alg)).encode())}.{b64(json.dumps(self.claims()).encode())}."


OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
JWK = {"kty": "OKP", "crv": "Ed25519", "x": b64(OTHER.public_key().public_bytes_raw())}


def header(**changed):
    """A token with this header, signed with the true key."""
    return lambda f: f.signed(f.header(**changed))


def claims(**changed):
    """A token with these claims, signed with the true key."""
    return lambda f: f.signed(claims=f.claims(**changed))


def at(**seconds):
    """A token with these times, counted from now."""
    return lambda f: f.signed(
        claims=f.claims(**{k: f.now_s + v for k, v in seconds.items()})
    )


FORGED = {
    "alg none": (lambda f: f.unsigned(), "algorithm"),
    "alg None": (lambda f: f.unsigned("None"), "algorithm"),
    "alg nOnE": (lambda f: f.unsigned("nOnE"), "algorithm"),
    "alg empty": (lambda f: f.unsigned(""), "algorithm"),
    "alg missing": (header(alg=None), "algorithm"),
    "alg list": (header(alg=["EdDSA"]), "algorithm"),
    "alg lower case": (header(alg="eddsa"), "algorithm"),
    "alg Ed448": (header(alg="Ed448"), "algorithm"),
    "HS256 with the public PEM": (
        lambda f: f.with_hmac("HS256", f.public_pem),
        "algorithm",
    ),
    "HS256 with the raw public key": (
        lambda f: f.with_hmac("HS256", f.public_raw),
        "algorithm",
    ),
    "HS256 with the JWK": (
        lambda f: f.with_hmac("HS256", json.dumps(JWK).encode()),
        "algorithm",
    ),
    "RS256": (header(alg="RS256"), "algorithm"),
    "ES256": (header(alg="ES256"), "algorithm"),
    "kid traversal": (header(kid="../../../../dev/null"), "unknown_key"),
    "kid SQL": (header(kid="' UNION SELECT 'k"), "unknown_key"),
    "kid URL": (header(kid="https://evil.example/k.json"), "unknown_key"),
    "kid of another": (lambda f: f.signed(f.header(kid="k"), key=OTHER), "unknown_key"),
    "kid missing": (header(kid=None), "unknown_key"),
    "kid number": (header(kid=0), "unknown_key"),
    "kid list": (header(kid=["a"]), "unknown_key"),
    "jku": (header(jku="https://evil.example/jwks.json"), "header"),
    "x5u": (header(x5u="https://evil.example/c.pem"), "header"),
    "x5c": (header(x5c=["MIIB"]), "header"),
    "jwk": (lambda f: f.signed(f.header(jwk=JWK), key=OTHER), "header"),
    "crit": (header(crit=["exp"]), "header"),
    "crit empty": (header(crit=[]), "header"),
    "b64 false": (header(b64=False, crit=["b64"]), "header"),
    "zip": (header(zip="DEF"), "header"),
    "cty nested": (header(cty="JWT"), "header"),
    "alg twice": (
        lambda f: f.signed(
            b'{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"%b"}' % f.kid.encode()
        ),
        "header",
    ),
    "typ JWT": (header(typ="JWT"), "type"),
    "typ missing": (header(typ=None), "type"),
    "typ logout": (header(typ="logout+jwt"), "type"),
    "signature of another key": (lambda f: f.signed(key=OTHER), "signature"),
    "signature cut": (lambda f: f.signed()[:-22], "signature"),
    "signature empty": (lambda f: f.signed().rpartition(".")[0] + ".", "signature"),
    "payload swapped": (
        lambda f: ".".join(
            (
                f.signed().split(".")[0],
                b64(json.dumps(f.claims(role="operator")).encode()),
                f.signed().split(".")[2],
            )
        ),
        "signature",
    ),
    "iss of another": (claims(iss="https://evil.example"), "issuer"),
    "iss longer": (claims(iss="bse-gateway.evil.example"), "issuer"),
    "iss prefix": (claims(iss="bse"), "issuer"),
    "iss list": (claims(iss=["bse-gateway"]), "claims"),
    "aud of another": (claims(aud="bse-admin"), "audience"),
    "aud list": (claims(aud=["bse-quotes", "x"]), "claims"),
    **{
        f"{name} missing": (claims(**{name: None}), "claims")
        for name in ("iss", "aud", "sub", "jti", "role", "scope", "iat", "exp")
    },
    "sub empty": (claims(sub=""), "claims"),
    "sub with a line": (claims(sub="a\nb"), "claims"),
    "sub long": (claims(sub="a" * 129), "claims"),
    "exp text": (claims(exp="9999999999"), "claims"),
    "exp huge": (claims(exp=10**400), "lifetime"),
    "exp Infinity": (claims(exp=float("inf")), "claims"),
    "exp true": (claims(exp=True), "claims"),
    "role unknown": (claims(role="root"), "role"),
    "role of nobody": (claims(role="anonymous"), "role"),
    "expired": (at(iat=-640, exp=-40), "expired"),
    "future": (at(iat=40, exp=600), "not_yet"),
    "not before": (at(nbf=40), "not_yet"),
    "too long a life": (at(exp=601), "lifetime"),
    "a year": (at(exp=365 * 86_400), "lifetime"),
    "ends before it begins": (at(exp=-1), "lifetime"),
    "claims not UTF-8": (lambda f: f.signed(claims=b'{"iss":"\xff"}'), "claims"),
    "claims no JSON": (lambda f: f.signed(claims=b"{"), "claims"),
    "claims a list": (lambda f: f.signed(claims=b"[]"), "claims"),
    "claims deep": (lambda f: f.signed(claims=b"[" * 2_000), "claims"),
    "header not UTF-8": (lambda f: f.signed(b'{"alg":"\xff"}'), "malformed"),
    "header a list": (lambda f: f.signed(b"[]"), "malformed"),
    "header deep": (lambda f: f.signed(b"[" * 2_000), "malformed"),
    "header a huge number": (
        lambda f: f.signed(b'{"alg":%s}' % (b"9" * 2_000)),
        "algorithm",
    ),
    "not base64": (lambda _: "a!.b.c", "malformed"),
    "two parts": (lambda f: f.signed().rpartition(".")[0], "malformed"),
    "four parts": (lambda f: f.signed() + ".x", "malformed"),
    "five parts (JWE)": (lambda _: "a.b.c.d.e", "malformed"),
    "dots": (lambda _: "..", "malformed"),
    "one letter": (lambda _: "x", "malformed"),
    "huge": (lambda f: f.signed(claims=f.claims(x="a" * 4_096)), "too_long"),
    "not ASCII": (lambda f: f.signed() + "\xe9", "malformed"),
    "key: malformed": (lambda _: "bsq_live_x", "malformed_key"),
    "key: checksum": (lambda _: DEMO_KEY.text[:-1] + "g", "malformed_key"),
    "key: another checksum": (
        lambda _: DEMO_KEY.text[:-8] + "00000000",
        "key_checksum",
    ),
    "key: unknown": (
        lambda _: ApiKey("live", "abcd1234", "x" * 32).text,
        "unknown_api_key",
    ),
}


@pytest.fixture
async def door(make_door, market):
    """A gateway that counts no failures, with a quote that everybody may read."""
    market.report({TCS.code: a_quote()})
    return await make_door(failures_per_minute=10_000)


@pytest.mark.parametrize(("forge", "reason"), FORGED.values(), ids=FORGED)
async def test_a_forged_token_is_refused_for_its_own_reason(
    door, client_of, forge, reason
):
    """Even where nobody in particular would have been let in; nothing of it comes back."""
    token = forge(Forger(door.identity, door.clock.wall_ms() // 1000))
    headers = {b"authorization": b"Bearer " + token.encode("latin-1")}
    async with client_of(door.app) as client:
        answer = await client.get("/api/stock/TCS", headers=headers)
    assert (401, "/problems/credentials-refused", reason) == (
        answer.status_code,
        answer.json()["type"],
        answer.json()["reason"],
    )
    assert (
        f'error="invalid_token", error_description="{reason}"'
        in (answer.headers["www-authenticate"])
    )
    assert len(token) < 20 or token[:60] not in answer.text


async def test_the_forger_could_make_a_good_one(door, client_of):
    """So the table fails for its reasons and not for a slip in the forger."""
    forger = Forger(door.identity, door.clock.wall_ms() // 1000)
    async with client_of(door.app) as client:
        for token in (forger.signed(), at(iat=-600, exp=-1)(forger)):
            answer = await client.get(
                "/api/stock/TCS", headers={"authorization": f"Bearer {token}"}
            )
            assert 200 == answer.status_code
    assert b'{"x":1}' == PyJWS().decode(
        forger.signed(claims=b'{"x":1}'), forger.private.public_key(), ["EdDSA"]
    )


GOOD = object()
ODD = {
    "two authorizations": (
        [("authorization", GOOD), ("authorization", GOOD)],
        "ambiguous",
    ),
    "authorization and key": (
        [("authorization", GOOD), ("x-api-key", GOOD)],
        "ambiguous",
    ),
    "two keys": ([("x-api-key", GOOD), ("x-api-key", GOOD)], "ambiguous"),
    "basic": ([("authorization", b"Basic YTpi")], "scheme"),
    "no scheme": ([("authorization", b"abc")], "scheme"),
    "scheme alone": ([("authorization", b"Bearer")], "scheme"),
    "nothing behind it": ([("authorization", b"Bearer  ")], "malformed"),
    "empty": ([("authorization", b"")], "scheme"),
    "empty key": ([("x-api-key", b"")], "malformed"),
    "long": ([("x-api-key", b"a" * 5_000)], "too_long"),
}


@pytest.mark.parametrize(("headers", "reason"), ODD.values(), ids=ODD)
async def test_credentials_must_be_one_and_in_their_place(
    door, client_of, headers, reason
):
    """Of two, a proxy and we could take different ones."""
    good = Forger(door.identity, door.clock.wall_ms() // 1000).signed().encode()
    sent = [
        (n, (b"Bearer " + good if n == "authorization" else good) if v is GOOD else v)
        for n, v in headers
    ]
    async with client_of(door.app) as client:
        answer = await client.get(
            "/api/stock/TCS", headers=[(n.encode(), v) for n, v in sent]
        )
    assert (401, reason) == (answer.status_code, answer.json()["reason"])


async def test_a_token_in_the_address_is_none(door, client_of):
    """Addresses end in logs."""
    good = Forger(door.identity, door.clock.wall_ms() // 1000).signed()
    async with client_of(door.app) as client:
        answer = await client.get(f"/admin/api-keys?access_token={good}&token={good}")
    assert (401, "/problems/credentials-needed") == (
        answer.status_code,
        answer.json()["type"],
    )

"""What a valid access token is (RFC 9068, RFC 8725), and the principal that it proves.

One algorithm, one type, three header members, keys of our own set only: whatever a token says of how it is to
be checked (`jku`, `x5u`, `jwk`, `crit`, `b64`) refuses it.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.api_jws import PyJWS
from jwt.exceptions import InvalidSignatureError, PyJWTError

from bse_shared.access.principal import Principal
from bse_shared.access.roles import GRANTABLE, granted


ALGORITHM = "EdDSA"
TYPE = "at+jwt"
TOKEN_LENGTH_MAX = 4096
LIFETIME_MAX_S = 600
LEEWAY_S = 30
"""Clocks of hosts differ by so much at most."""

_HEADER_MEMBERS = {"alg", "typ", "kid"}
_SIGNATURES = PyJWS(algorithms=[ALGORITHM])


class Reason(StrEnum):
    """Why a token proves nothing."""

    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    HEADER = "header"
    ALGORITHM = "algorithm"
    TYPE = "type"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    CLAIMS = "claims"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    LIFETIME = "lifetime"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    ROLE = "role"
    REVOKED = "revoked"


class TokenRefused(Exception):
    """The token proves nothing."""

    def __init__(self, reason: Reason):
        super().__init__(reason.value)
        self.reason = reason


class TokenRules(NamedTuple):
    """What this installation takes."""

    issuer: str
    audience: str
    lifetime_max_s: int = LIFETIME_MAX_S
    leeway_s: int = LEEWAY_S


_Name = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,128}\Z")]


class Claims(msgspec.Struct, kw_only=True, frozen=True):
    """The payload. All but `sid` and `nbf` are required."""

    iss: str
    aud: str
    sub: _Name
    jti: _Name
    scope: Annotated[str, msgspec.Meta(max_length=512)]
    role: str
    iat: int
    exp: int
    nbf: int | None = None
    sid: Annotated[str, msgspec.Meta(max_length=128)] = ""


def verify(
    token: str, keys: Mapping[str, Ed25519PublicKey], rules: TokenRules, now_s: float
) -> Principal:
    """The principal that the token proves at `now_s`. Raises TokenRefused."""
    if len(token) > TOKEN_LENGTH_MAX:
        raise TokenRefused(Reason.TOO_LONG)
    key_id = _checked_header(token)
    if key_id not in keys:
        raise TokenRefused(Reason.UNKNOWN_KEY)
    claims = _claims(_signed_payload(token, keys[key_id]))
    _check_party(claims, rules)
    _check_times(claims, rules, now_s)
    if claims.role not in GRANTABLE:
        raise TokenRefused(Reason.ROLE)
    return Principal(
        sub=claims.sub,
        role=claims.role,
        scopes=granted(claims.role, frozenset(claims.scope.split())),
        jti=claims.jti,
        session_id=claims.sid,
        issued_at_ms=claims.iat * 1000,
        expires_at_ms=claims.exp * 1000,
        key_id=key_id,
    )


def _checked_header(token: str) -> str:
    """The id of the key that the header names, once nothing else in the header is out of order."""
    header = _header(token)
    if header.get("alg") != ALGORITHM:
        raise TokenRefused(Reason.ALGORITHM)
    if not header.keys() <= _HEADER_MEMBERS:
        raise TokenRefused(Reason.HEADER)
    if header.get("typ") != TYPE:
        raise TokenRefused(Reason.TYPE)
    key_id = header.get("kid")
    if not isinstance(key_id, str):
        raise TokenRefused(Reason.UNKNOWN_KEY)
    return key_id


def _header(token: str) -> dict[str, Any]:
    if not token.isascii() or token.count(".") != 2:  # noqa: PLR2004 - header.payload.signature
        raise TokenRefused(Reason.MALFORMED)
    segment = token.partition(".")[0]
    try:
        text = base64.b64decode(
            segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True
        )
        found = json.loads(text, object_pairs_hook=_once)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TokenRefused(Reason.MALFORMED) from error
    if not isinstance(found, dict):
        raise TokenRefused(Reason.MALFORMED)
    return found


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are unique: of two `alg`, two readers could take different ones."""
    found = dict(members)
    if len(found) != len(members):
        raise TokenRefused(Reason.HEADER)
    return found


def _signed_payload(token: str, key: Ed25519PublicKey) -> bytes:
    try:
        payload: bytes = _SIGNATURES.decode(token, key, algorithms=[ALGORITHM])
    except InvalidSignatureError as error:
        raise TokenRefused(Reason.SIGNATURE) from error
    except PyJWTError as error:
        raise TokenRefused(Reason.MALFORMED) from error
    return payload


def _claims(payload: bytes) -> Claims:
    try:
        return msgspec.json.decode(payload, type=Claims)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise TokenRefused(Reason.CLAIMS) from error


def _check_party(claims: Claims, rules: TokenRules) -> None:
    if claims.iss != rules.issuer:
        raise TokenRefused(Reason.ISSUER)
    if claims.aud != rules.audience:
        raise TokenRefused(Reason.AUDIENCE)


def _check_times(claims: Claims, rules: TokenRules, now_s: float) -> None:
    if not 0 < claims.exp - claims.iat <= rules.lifetime_max_s:
        raise TokenRefused(Reason.LIFETIME)
    if max(claims.iat, claims.nbf or 0) > now_s + rules.leeway_s:
        raise TokenRefused(Reason.NOT_YET)
    if now_s >= claims.exp + rules.leeway_s:
        raise TokenRefused(Reason.EXPIRED)

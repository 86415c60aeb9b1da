"""What a request shows to prove who sends it. Pure: reads headers, proves nothing.

At most one credential: of two, a proxy and we could take different ones.
"""

from collections.abc import Iterable

from bse_gateway.identity.errors import CredentialsRefused
from bse_shared.access.tokens import TOKEN_LENGTH_MAX


_SCHEME = b"bearer "


def shown_in(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The token or API key of `Authorization: Bearer` or `X-API-Key`; None where neither was sent."""
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            text = _of_bearer(value)
        elif name == b"x-api-key":
            text = value.strip()
        else:
            continue
        if found is not None:
            raise CredentialsRefused("ambiguous")
        if not text:
            raise CredentialsRefused("malformed")
        if len(text) > TOKEN_LENGTH_MAX:
            raise CredentialsRefused("too_long")
        found = text
    return found


def _of_bearer(value: bytes) -> bytes:
    if value[: len(_SCHEME)].lower() != _SCHEME:
        raise CredentialsRefused("scheme")
    return value[len(_SCHEME) :].strip()

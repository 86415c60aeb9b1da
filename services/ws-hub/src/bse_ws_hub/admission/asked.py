"""What a new connection says of itself: its credential, its client id, its session name. Pure: proves nothing.

At most one credential: of two, a proxy and we could take different ones. A token is never taken from an address,
because addresses end up in logs.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from bse_shared.access.api_keys import PREFIX as API_KEY_PREFIX
from bse_shared.access.tokens import TOKEN_LENGTH_MAX
from bse_ws_hub.admission.refused import Refused, Why


CLIENT_ID_MAX = 128
SESSION_NAME_MAX = 64
QUERY_FIELDS_MAX = 32

_SCHEME = b"bearer "
_TOKEN_NAMES = ("token", "access_token", "authorization", "api_key")


class Asked(NamedTuple):
    """Empty where nothing was said."""

    token: str = ""
    ticket: str = ""
    client_id: str = ""
    session_name: str = ""


def asked_in_request(
    headers: Iterable[tuple[bytes, bytes]], query_string: bytes, *, looks: bool = True
) -> Asked:
    """What a WebSocket handshake or an SSE request says. `looks`: at credentials, too. Raises Refused."""
    try:
        query = parse_qs(
            query_string.decode("latin-1"),
            keep_blank_values=True,
            max_num_fields=QUERY_FIELDS_MAX,
        )
    except ValueError as error:
        raise Refused(Why.BAD_REQUEST, "query") from error
    client_id = query.get("client_id", [""])[0]
    session_name = query["session"][0] if "session" in query else None
    if not looks:
        return _checked(None, None, client_id, session_name)
    if any(name in query for name in _TOKEN_NAMES):
        raise Refused(Why.TOKEN_REFUSED, "in_address")
    if len(query.get("ticket", ())) > 1:
        raise Refused(Why.TOKEN_REFUSED, "ambiguous")
    ticket = query["ticket"][0] if "ticket" in query else None
    return _checked(_of_headers(headers), ticket, client_id, session_name)


def asked_in_auth(auth: Any, *, looks: bool = True) -> Asked:
    """What the `auth` object of a Socket.IO client says. `looks`: at credentials, too. Raises Refused."""
    told = auth if isinstance(auth, dict) else {}
    token, ticket = (told.get("token"), told.get("ticket")) if looks else (None, None)
    for credential in (token, ticket):
        if credential is not None and not isinstance(credential, str):
            raise Refused(Why.TOKEN_REFUSED, "malformed")
    client_id, session_name = told.get("client_id"), told.get("session")
    if session_name is not None and not isinstance(session_name, str):
        raise Refused(Why.BAD_REQUEST, "session")
    client_id = client_id if isinstance(client_id, str) else ""
    return _checked(token, ticket, client_id, session_name)


def _checked(
    token: str | None, ticket: str | None, client_id: str, session_name: str | None
) -> Asked:
    if token is not None and ticket is not None:
        raise Refused(Why.TOKEN_REFUSED, "ambiguous")
    for credential in (token, ticket):
        if credential == "":
            raise Refused(Why.TOKEN_REFUSED, "malformed")
        if credential is not None and len(credential) > TOKEN_LENGTH_MAX:
            raise Refused(Why.TOKEN_REFUSED, "too_long")
    if token is not None and token.startswith(API_KEY_PREFIX):
        raise Refused(Why.TOKEN_REFUSED, "api_key")
    if session_name is not None and not 0 < len(session_name) <= SESSION_NAME_MAX:
        raise Refused(Why.BAD_REQUEST, "session")
    return Asked(
        token or "", ticket or "", client_id[:CLIENT_ID_MAX], session_name or ""
    )


def _of_headers(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    found = None
    for name, value in headers:
        if name.lower() == b"x-api-key":
            raise Refused(Why.TOKEN_REFUSED, "api_key")
        if name.lower() != b"authorization":
            continue
        if found is not None:
            raise Refused(Why.TOKEN_REFUSED, "ambiguous")
        if value[: len(_SCHEME)].lower() != _SCHEME:
            raise Refused(Why.TOKEN_REFUSED, "scheme")
        found = value[len(_SCHEME) :].strip().decode("latin-1")
    return found

"""`/api/auth/*` and the JWK set: API key in, short-lived tokens out."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bse_gateway.identity.credentials import shown_in
from bse_gateway.identity.errors import CredentialsNeeded
from bse_gateway.identity.parts import Identity
from bse_gateway.identity.token_desk import Grant
from bse_gateway.rest.contract import problems
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.replies.base import Reply
from bse_gateway.rest.subscriptions import require_json
from bse_shared.access.addresses import payer
from bse_shared.access.signing_keys import jwks_document
from bse_shared.access.tokens import TOKEN_LENGTH_MAX
from bse_shared.redis_edge.connection import StoreUnavailable


JWKS_CACHE = "public, max-age=60"

_Secret = Annotated[str, Field(min_length=1, max_length=TOKEN_LENGTH_MAX)]


class AskedToken(BaseModel):
    """What to sign in with, where not by header, and how little will do."""

    model_config = ConfigDict(extra="forbid", strict=True)

    api_key: _Secret | None = Field(
        None, description="where it is not sent as a header"
    )
    scope: str | None = Field(
        None,
        max_length=512,
        description="scopes separated by blanks; left out: all of the key's",
        examples=["quotes:read stream:read"],
    )


class AskedRefresh(BaseModel):
    """The refresh token, good once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    refresh_token: _Secret


class AskedRevocation(BaseModel):
    """An access or refresh token."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: _Secret
    everywhere: bool = Field(False, description="everything of the token's subject too")


class TokenReply(Reply):
    """A pair of tokens."""

    access_token: str = Field(description="send as `Authorization: Bearer`")
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="seconds", examples=[600])
    refresh_token: str = Field(
        description="good once; showing it twice ends the session"
    )
    refresh_expires_in: int = Field(description="seconds", examples=[86400])
    role: str = Field(examples=["trader"])
    scope: str = Field(examples=["quotes:read stream:read subscriptions:write"])


def add_auth_routes(app: FastAPI, identity: Identity) -> None:
    """Add the routes."""
    refusals = problems(
        Kind.CREDENTIALS_NEEDED, Kind.CREDENTIALS_REFUSED, Kind.STORE_UNAVAILABLE
    )
    bodies = problems(
        Kind.MALFORMED_JSON,
        Kind.BODY_TOO_LARGE,
        Kind.UNSUPPORTED_MEDIA_TYPE,
        Kind.INVALID_REQUEST,
    )
    for path, endpoint, name in (
        ("token", _sign_in(identity), "create_token"),
        ("refresh", _refresh(identity), "refresh_token"),
        ("revoke", _revoke(identity), "revoke_token"),
    ):
        gives = name != "revoke_token"
        app.router.add_api_route(
            f"/api/auth/{path}",
            endpoint,
            methods=["POST"],
            name=name,
            summary=_SUMMARIES[path],
            status_code=200 if gives else 204,
            response_model=TokenReply if gives else None,
            dependencies=[] if path == "token" else [Depends(require_json)],
            responses={**refusals, **bodies},
            tags=["identity"],
        )
    app.router.add_api_route(
        "/.well-known/jwks.json",
        _read_jwks(identity),
        name="read_jwks",
        summary="Public keys that tokens are signed with",
        response_model=dict[str, list[dict[str, str]]],
        responses=problems(Kind.STORE_UNAVAILABLE),
        tags=["identity"],
    )


_SUMMARIES = {
    "token": "Get tokens for an API key",
    "refresh": "Get the next pair of tokens",
    "revoke": "Revoke a token",
}


def _sign_in(identity: Identity) -> Any:
    async def create_token(
        request: Request, asked: AskedToken | None = None
    ) -> TokenReply:
        """A short-lived access token and a refresh token for an API key.

        Send the key as `Authorization: Bearer`, as `X-API-Key` or as `api_key` in the body.
        """
        wish = asked or AskedToken()
        key = shown_in(request.headers.raw)
        if key is None:
            if wish.api_key is None:
                raise CredentialsNeeded
            key = wish.api_key.encode()
        scopes = None if wish.scope is None else frozenset(wish.scope.split())
        return _reply(await identity.tokens.sign_in(key, scopes, _payer(request)))

    return create_token


def _refresh(identity: Identity) -> Any:
    async def refresh_token(request: Request, asked: AskedRefresh) -> TokenReply:
        """The next pair. A refresh token that is shown a second time ends the session: two hold it."""
        return _reply(
            await identity.tokens.refresh(
                asked.refresh_token, _payer(request), request.state.request_id
            )
        )

    return refresh_token


def _revoke(identity: Identity) -> Any:
    async def revoke_token(asked: AskedRevocation) -> Response:
        """Revoke an access token, or a refresh token with all that came from it. Also answered for what is none."""
        await identity.tokens.revoke(asked.token, everywhere=asked.everywhere)
        return Response(None, 204)

    return revoke_token


def _read_jwks(identity: Identity) -> Any:
    async def read_jwks(response: Response) -> dict[str, Any]:
        """A JWK set (RFC 7517): check access tokens with it by `kid`."""
        if not identity.access.ready:
            raise StoreUnavailable("signing keys not read yet")
        response.headers["cache-control"] = JWKS_CACHE
        return jwks_document(identity.access.signing_keys, identity.clock.wall_ms())

    return read_jwks


def _payer(request: Request) -> str:
    return payer(request.client.host if request.client else "")


def _reply(grant: Grant) -> TokenReply:
    return TokenReply(
        access_token=grant.access_token,
        token_type="Bearer",  # noqa: S106 - the scheme's name
        expires_in=grant.expires_in_s,
        refresh_token=grant.refresh_token,
        refresh_expires_in=grant.refresh_expires_in_s,
        role=grant.role,
        scope=" ".join(sorted(grant.scopes)),
    )

"""`/admin/*`: API keys and the audit log, for the role admin from listed addresses."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Query, Request

from bse_gateway.identity.act_log import Actor
from bse_gateway.identity.key_desk import KeyWish
from bse_gateway.identity.parts import Identity
from bse_gateway.rest.contract import problems
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.replies.keys import (
    AskedKey,
    AskedRotation,
    AuditLogReply,
    AuditReply,
    KeyReply,
    KeysReply,
    NewKeyReply,
)
from bse_gateway.rest.subscriptions import require_json
from bse_shared.access.api_keys import ApiKey, ApiKeyRecord
from bse_shared.access.audit import first_break
from bse_shared.sessions.session import DAY_MS


AUDIT_READ_MAX = 1_000

KeyId = Annotated[str, Path(pattern=r"^[a-z0-9]{8}$", examples=["k3v9x2ab"])]


class AdminDoor:
    """The routes' endpoints."""

    def __init__(self, identity: Identity):
        self._identity = identity

    async def create(self, asked: AskedKey, request: Request) -> NewKeyReply:
        """Make an API key. Its secret is in this answer and nowhere else."""
        wish = KeyWish(
            asked.name,
            asked.role,
            None if asked.scopes is None else frozenset(asked.scopes),
            asked.expires_in_days and asked.expires_in_days * DAY_MS,
        )
        return self._new(*await self._identity.keys.create(wish, actor_of(request)))

    async def all(self) -> KeysReply:
        """Every key, revoked ones included."""
        found = (await self._identity.store.api_keys()).values()
        newest_first = sorted(found, key=lambda each: -each[0].created_at_ms)
        return KeysReply(
            keys=[self._reply(record, used_ms) for record, used_ms in newest_first]
        )

    async def rotate(
        self, key_id: KeyId, asked: AskedRotation, request: Request
    ) -> NewKeyReply:
        """A new secret for the key. The one before stays good for `grace_s`, older ones end now."""
        return self._new(
            *await self._identity.keys.rotate(
                key_id, asked.grace_s * 1000, actor_of(request)
            )
        )

    async def revoke(self, key_id: KeyId, request: Request) -> KeyReply:
        """The key opens nothing any more, nor does any token got with it; open streams are closed."""
        record = await self._identity.keys.revoke(
            key_id, actor_of(request), self._identity.tokens
        )
        return self._reply(record, None)

    async def audit(
        self, limit: Annotated[int, Query(ge=1, le=AUDIT_READ_MAX)] = 100
    ) -> AuditLogReply:
        """The newest administrative acts, and whether the log was tampered with among them."""
        entries, newest = await self._identity.store.read_audit(limit)
        broken = first_break(entries, newest, self._identity.pepper)
        return AuditLogReply(
            acts=[
                AuditReply(
                    at_ms=entry.act.at_ms,
                    who=entry.act.who,
                    what=entry.act.what,
                    target=entry.act.target,
                    result=entry.act.result,
                    request_id=entry.act.request_id,
                    address=entry.act.address,
                )
                for entry in reversed(entries)
            ],
            chain_holds=broken is None,
        )

    def _new(self, key: ApiKey, record: ApiKeyRecord) -> NewKeyReply:
        return NewKeyReply(api_key=key.text, key=self._reply(record, None))

    def _reply(self, record: ApiKeyRecord, used_ms: int | None) -> KeyReply:
        return KeyReply(
            key_id=record.key_id,
            kind=record.kind,
            name=record.name,
            role=record.role,
            scopes=record.scopes,
            created_at_ms=record.created_at_ms,
            created_by=record.created_by,
            expires_at_ms=record.expires_at_ms,
            revoked_at_ms=record.revoked_at_ms,
            last_used_at_ms=used_ms,
            secrets=len(record.live_secrets(self._identity.clock.wall_ms())),
        )


def add_admin_routes(app: FastAPI, identity: Identity) -> None:
    """Add the routes."""
    door = AdminDoor(identity)
    body = problems(Kind.MALFORMED_JSON, Kind.BODY_TOO_LARGE, Kind.INVALID_REQUEST)
    on_key = problems(Kind.INVALID_REQUEST, Kind.UNKNOWN_API_KEY, Kind.KEY_CONFLICT)
    json_only = [Depends(require_json)]

    def add(path: str, endpoint: Any, **options: Any) -> None:
        app.router.add_api_route(
            f"/admin/{path}", endpoint, tags=["administration"], **options
        )

    add("api-keys", door.all, name="list_api_keys", summary="API keys")
    add(
        "api-keys",
        door.create,
        name="create_api_key",
        summary="Make an API key",
        methods=["POST"],
        status_code=201,
        dependencies=json_only,
        responses={**body, **problems(Kind.UNSUPPORTED_MEDIA_TYPE, Kind.KEY_CONFLICT)},
    )
    add(
        "api-keys/{key_id}/rotate",
        door.rotate,
        name="rotate_api_key",
        summary="Give an API key a new secret",
        methods=["POST"],
        status_code=201,
        dependencies=json_only,
        responses={**body, **on_key, **problems(Kind.UNSUPPORTED_MEDIA_TYPE)},
    )
    add(
        "api-keys/{key_id}/revoke",
        door.revoke,
        name="revoke_api_key",
        summary="Revoke an API key and its tokens",
        methods=["POST"],
        responses=on_key,
    )
    add(
        "audit",
        door.audit,
        name="read_audit",
        summary="Administrative acts",
        responses=problems(Kind.INVALID_REQUEST),
    )


def actor_of(request: Request) -> Actor:
    """Who asks, as the audit log names them."""
    return Actor(
        request.state.principal.sub,
        request.state.request_id,
        request.client.host if request.client else "",
    )

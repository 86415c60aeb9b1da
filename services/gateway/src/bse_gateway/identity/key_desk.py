"""Administers API keys; every act is in the audit log, with its result."""

import secrets
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bse_gateway.identity.act_log import ActLog, Actor
from bse_gateway.identity.errors import KeyConflict, NoSuchKey
from bse_gateway.identity.token_desk import TokenDesk
from bse_shared.access.api_keys import (
    DEMO_KEY,
    ApiKey,
    ApiKeyRecord,
    KeySecret,
    digest,
    new_key,
    rotated,
)
from bse_shared.access.roles import ROLES, granted
from bse_shared.access.secret_text import ALPHABET, SECRET_LENGTH, draw
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.identity_store import IdentityStore


DEMO_ROLE = "trader"


class KeyWish(NamedTuple):
    """A key to be made. `scopes` None: all that the role has."""

    name: str
    role: str
    scopes: frozenset[str] | None = None
    lifetime_ms: int | None = None


class KeyDesk:
    """Creates, rotates and revokes keys."""

    def __init__(
        self,
        store: IdentityStore,
        pepper: bytes,
        clock: Clock,
        choose: Callable[[str], str] = secrets.choice,
    ):
        self._store = store
        self._acts = ActLog(store, clock)
        self._pepper = pepper
        self._clock = clock
        self._choose = choose

    async def create(self, wish: KeyWish, actor: Actor) -> tuple[ApiKey, ApiKeyRecord]:
        """A new key: the only time that its secret is seen."""
        key = new_key("live", self._choose)
        record = self._record(key, wish, actor.who)
        made = await self._store.change_api_key(None, record)
        await self._acts.note(actor, "api-key.create", key.key_id, _result(made))
        if not made:
            raise KeyConflict
        return key, record

    async def rotate(
        self, key_id: str, grace_ms: int, actor: Actor
    ) -> tuple[ApiKey, ApiKeyRecord]:
        """A new secret for the key; the one before it stays good for `grace_ms`."""
        now_ms = self._clock.wall_ms()
        before = await self._held(key_id, "api-key.rotate", actor)
        key = ApiKey(before.kind, key_id, draw(ALPHABET, SECRET_LENGTH, self._choose))
        after = rotated(before, key, self._pepper, now_ms, grace_ms)
        made = before.is_live(now_ms) and await self._store.change_api_key(
            before, after
        )
        await self._acts.note(actor, "api-key.rotate", key_id, _result(made))
        if not made:
            raise KeyConflict
        return key, after

    async def revoke(
        self, key_id: str, actor: Actor, tokens: TokenDesk
    ) -> ApiKeyRecord:
        """The key opens nothing any more, nor does any token got with it."""
        after = before = await self._held(key_id, "api-key.revoke", actor)
        made = True
        if before.revoked_at_ms is None:
            after = msgspec.structs.replace(before, revoked_at_ms=self._clock.wall_ms())
            made = await self._store.change_api_key(before, after)
        if made:  # Also where it was revoked before: that time may have ended half-way.
            await tokens.revoke_subject(before.sub)
        await self._acts.note(actor, "api-key.revoke", key_id, _result(made))
        if not made:
            raise KeyConflict
        return after

    async def keep_demo_key(self) -> None:
        """Have the demo key in the store."""
        if await self._store.api_key(DEMO_KEY.key_id) is None:
            wish = KeyWish("demo key of a local run", DEMO_ROLE)
            record = self._record(DEMO_KEY, wish, "gateway")
            await self._store.change_api_key(None, record)

    async def _held(self, key_id: str, what: str, actor: Actor) -> ApiKeyRecord:
        record = await self._store.api_key(key_id)
        if record is None:
            await self._acts.note(actor, what, key_id, "no such key")
            raise NoSuchKey
        return record

    def _record(self, key: ApiKey, wish: KeyWish, created_by: str) -> ApiKeyRecord:
        now_ms = self._clock.wall_ms()
        wanted = ROLES[wish.role].scopes if wish.scopes is None else wish.scopes
        return ApiKeyRecord(
            key_id=key.key_id,
            kind=key.kind,
            name=wish.name,
            role=wish.role,
            scopes=sorted(granted(wish.role, wanted)),
            secrets=[KeySecret(digest=digest(key, self._pepper), created_at_ms=now_ms)],
            created_at_ms=now_ms,
            created_by=created_by,
            expires_at_ms=wish.lifetime_ms and now_ms + wish.lifetime_ms,
        )


def _result(made: bool) -> str:
    return "done" if made else "conflict"

"""Issues, renews and revokes tokens."""

import secrets
from collections.abc import Callable
from typing import NamedTuple

import structlog

from bse_gateway.identity.doorkeeper import Doorkeeper
from bse_gateway.identity.errors import CredentialsRefused
from bse_gateway.identity.signer import Signer
from bse_gateway.settings import AuthSettings
from bse_shared.access.api_keys import PREFIX as KEY_PREFIX
from bse_shared.access.audit import Act
from bse_shared.access.principal import Principal
from bse_shared.access.revocations import Kind, Revocation
from bse_shared.access.roles import granted
from bse_shared.access.sessions import (
    Family,
    RefreshToken,
    new_refresh_token,
    parse_refresh_token,
)
from bse_shared.access.tokens import LEEWAY_S, LIFETIME_MAX_S, TokenRefused
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.access_follower import AccessFollower
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.identity_store import IdentityStore


log = structlog.get_logger()

REVOCATION_LIFE_MS = (LIFETIME_MAX_S + LEEWAY_S) * 1000
"""After so long everything issued before has run out by itself."""

TOKEN_ID_BYTES = 12


class Grant(NamedTuple):
    """What a client gets."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    refresh_expires_in_s: int
    role: str
    scopes: frozenset[str]


class TokenDesk:
    """API key in, tokens out; refresh token in, the next pair out."""

    def __init__(
        self,
        settings: AuthSettings,
        signer: Signer,
        doorkeeper: Doorkeeper,
        access: AccessFollower,
        shared: AccessStore,
        store: IdentityStore,
        clock: Clock,
        choose: Callable[[str], str] = secrets.choice,
    ):
        self._settings = settings
        self._pepper = settings.pepper_bytes
        self._signer = signer
        self._doorkeeper = doorkeeper
        self._access = access
        self._shared = shared
        self._store = store
        self._clock = clock
        self._choose = choose

    async def sign_in(
        self, api_key: bytes, wanted: frozenset[str] | None, payer: str
    ) -> Grant:
        """Tokens for an API key, with the wanted scopes as far as the key has them."""
        if not api_key.startswith(KEY_PREFIX.encode()):
            self._doorkeeper.count_failure(payer)
            raise CredentialsRefused("malformed_key")
        holder = await self._doorkeeper.prove(api_key, payer)
        scopes = holder.scopes if wanted is None else holder.scopes & wanted
        now_ms = self._clock.wall_ms()
        first = new_refresh_token(self._choose)
        family = Family(
            family_id=first.family_id,
            api_key_id=holder.key_id,
            sub=holder.sub,
            scopes=sorted(scopes),
            expires_at_ms=now_ms + self._settings.refresh_lifetime_s * 1000,
        )
        await self._store.open_family(family, first.digest(self._pepper), now_ms)
        return self._grant(family, first, holder.role, scopes)

    async def refresh(self, text: str, payer: str, request_id: str) -> Grant:
        """The next pair. A token shown twice ends its whole family: two hold it."""
        self._doorkeeper.check_failures(payer)
        shown = parse_refresh_token(text)
        if shown is None:
            raise self._refused("malformed", payer)
        following = shown.successor(self._choose)
        found = await self._store.rotate(
            shown.family_id, shown.digest(self._pepper), following.digest(self._pepper)
        )
        if found is None:
            raise self._refused("unknown_refresh_token", payer)
        if found.reused:
            await self._end_session(found.family)
            await self._note_reuse(found.family, payer, request_id)
            raise self._refused("reused_refresh_token", payer)
        record = await self._store.api_key(found.family.api_key_id)
        if record is None or not record.is_live(self._clock.wall_ms()):
            await self._store.end_family(found.family.family_id)
            raise self._refused("revoked_key", payer)
        scopes = granted(
            record.role, frozenset(found.family.scopes) & frozenset(record.scopes)
        )
        return self._grant(found.family, following, record.role, scopes)

    async def revoke(self, text: str, *, everywhere: bool) -> None:
        """Revoke an access token, or a refresh token and all that came from it; or all of its subject's.

        What is no token (any more) is as revoked as can be (RFC 7009).
        """
        if refresh := parse_refresh_token(text):
            await self._revoke_session(refresh, everywhere=everywhere)
            return
        if not self._access.ready:
            raise StoreUnavailable("signing keys not read yet")
        try:
            principal = await self._access.verify_or_reread(text)
        except TokenRefused:
            return
        if everywhere:
            await self.revoke_subject(principal.sub)
        else:
            await self._revoke("jti", principal.jti)

    async def revoke_subject(self, sub: str) -> None:
        """Revoke all that was issued to the subject until now."""
        await self._store.end_families_of(sub)
        await self._revoke("sub", sub)

    async def _revoke_session(self, shown: RefreshToken, *, everywhere: bool) -> None:
        never = shown.successor(self._choose).digest(self._pepper)
        found = await self._store.rotate(
            shown.family_id, shown.digest(self._pepper), never
        )
        if found is None:
            return
        if everywhere and not found.reused:
            await self.revoke_subject(found.family.sub)
        await self._end_session(found.family)

    async def _end_session(self, family: Family) -> None:
        await self._store.end_family(family.family_id)
        await self._revoke("sid", family.session_id)

    async def _revoke(self, kind: Kind, value: str) -> None:
        now_ms = self._clock.wall_ms()
        revocation = Revocation(
            kind=kind,
            value=value,
            at_ms=now_ms,
            until_ms=now_ms + REVOCATION_LIFE_MS,
        )
        await self._shared.revoke(revocation, now_ms)
        # Here at once; at the other doors with the message.
        self._access.note(revocation)

    async def _note_reuse(self, family: Family, payer: str, request_id: str) -> None:
        log.warning("gateway.refresh_token_reused", sub=family.sub, address=payer)
        act = Act(
            at_ms=self._clock.wall_ms(),
            who=family.sub,
            what="refresh-token.reused",
            target=family.session_id,
            result="session ended",
            request_id=request_id,
            address=payer,
        )
        await self._store.write_audit(act)

    def _grant(
        self,
        family: Family,
        refresh: RefreshToken,
        role: str,
        scopes: frozenset[str],
    ) -> Grant:
        now_ms = self._clock.wall_ms()
        issued_s = now_ms // 1000
        lifetime_s = self._settings.token_lifetime_s
        principal = Principal(
            sub=family.sub,
            role=role,
            scopes=scopes,
            jti=secrets.token_urlsafe(TOKEN_ID_BYTES),
            session_id=family.session_id,
        )
        token = self._signer.access_token(
            principal, scopes, issued_s, issued_s + lifetime_s
        )
        left_s = max((family.expires_at_ms - now_ms) // 1000, 0)
        return Grant(token, refresh.text, lifetime_s, left_s, role, scopes)

    def _refused(self, reason: str, payer: str) -> CredentialsRefused:
        self._doorkeeper.count_failure(payer)
        return CredentialsRefused(reason)

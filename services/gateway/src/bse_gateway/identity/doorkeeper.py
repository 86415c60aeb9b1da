"""From a credential to the principal that it proves, remembered, so that the next request asks nobody.

A token is remembered until it expires, an API key for 30 s; revocations are looked up for each request, in memory.
"""

import hashlib
from collections import OrderedDict
from typing import NamedTuple

import structlog

from bse_gateway.identity.errors import CredentialsRefused, OverBudget
from bse_shared.access.api_keys import (
    PREFIX,
    ApiKey,
    KeyReason,
    KeyRefused,
    admit,
    parse,
)
from bse_shared.access.budgets import Budgets
from bse_shared.access.principal import Principal
from bse_shared.access.revocations import Revocation
from bse_shared.access.tokens import LIFETIME_MAX_S, TokenRefused
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.access_follower import AccessFollower
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.identity_store import IdentityStore


log = structlog.get_logger()

PROOFS_MAX = 20_000
API_KEY_REMEMBERED_MS = 30_000
API_KEY_SERVED_WITHOUT_STORE_MS = LIFETIME_MAX_S * 1000
"""With the store away, a key that was good lives on as long as a token got with it would."""

_KEY_PREFIX = PREFIX.encode()


class _Proof(NamedTuple):
    principal: Principal
    until_ms: int


class Doorkeeper:
    """Proves credentials, and counts the failures of each address."""

    def __init__(
        self,
        access: AccessFollower,
        store: IdentityStore,
        pepper: bytes,
        clock: Clock,
        *,
        failures_per_minute: int,
        demo_allowed: bool,
    ):
        self._access = access
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._failures = Budgets()
        self._failures_max = failures_per_minute
        self._demo_allowed = demo_allowed
        self._proofs: OrderedDict[bytes, _Proof] = OrderedDict()

    def known(self, credential: bytes) -> Principal | None:
        """The principal, where the credential was proved before and still holds."""
        name = _name(credential)
        proof = self._proofs.get(name)
        if proof is None or self._clock.wall_ms() >= proof.until_ms:
            return None
        if not self._access.still_valid(proof.principal):
            return None
        self._proofs.move_to_end(name)
        return proof.principal

    async def prove(self, credential: bytes, payer: str) -> Principal:
        """The principal. Raises CredentialsRefused; OverBudget for an address with too many failures."""
        self.check_failures(payer)
        try:
            if credential.startswith(_KEY_PREFIX):
                return await self._prove_key(credential)
            return await self._prove_token(credential)
        except (TokenRefused, KeyRefused) as refused:
            self.count_failure(payer)
            raise CredentialsRefused(refused.reason.value) from refused

    def check_failures(self, payer: str) -> None:
        """Raise OverBudget for an address that has failed too often in the last minute."""
        spent = self._failures.look(payer, self._failures_max, self._now_s())
        if not spent.allowed:
            raise OverBudget(spent)

    def count_failure(self, payer: str) -> None:
        """A credential from this address proved nothing."""
        self._failures.add(payer, 1, self._now_s())

    async def prove_api_key(self, key: ApiKey) -> Principal:
        """The principal of an API key, by what the store says now. Raises KeyRefused, StoreUnavailable."""
        if key.kind == "demo" and not self._demo_allowed:
            raise KeyRefused(KeyReason.DEMO)
        record = await self._store.api_key(key.key_id)
        now_ms = self._clock.wall_ms()
        principal = admit(key, record, self._pepper, now_ms)
        await self._store.api_key_used(key.key_id, now_ms)
        return principal

    def forget(self, revocation: Revocation) -> None:
        """Ask the store anew about the API keys of a revoked subject, whatever our clocks say."""
        if revocation.kind == "sub":
            for name, proof in list(self._proofs.items()):
                if proof.principal.sub == revocation.value:
                    del self._proofs[name]

    async def _prove_token(self, credential: bytes) -> Principal:
        if not self._access.ready:
            raise StoreUnavailable("signing keys not read yet")
        token = credential.decode("latin-1")
        principal = await self._access.verify_or_reread(token)
        self._remember(credential, principal, principal.expires_at_ms or 0)
        return principal

    async def _prove_key(self, credential: bytes) -> Principal:
        key = parse(credential.decode("latin-1"))
        try:
            principal = await self.prove_api_key(key)
        except StoreUnavailable:
            held = self._proofs.get(_name(credential))
            if held is None or not self._outlives_store(held):
                raise
            return held.principal
        remembered_ms = principal.issued_at_ms + API_KEY_REMEMBERED_MS
        end_ms = principal.expires_at_ms
        self._remember(
            credential, principal, min(end_ms or remembered_ms, remembered_ms)
        )
        return principal

    def _outlives_store(self, proof: _Proof) -> bool:
        served_ms = proof.principal.issued_at_ms + API_KEY_SERVED_WITHOUT_STORE_MS
        return self._clock.wall_ms() < served_ms and self._access.still_valid(
            proof.principal
        )

    def _remember(self, credential: bytes, principal: Principal, until_ms: int) -> None:
        self._proofs[_name(credential)] = _Proof(principal, until_ms)
        if len(self._proofs) > PROOFS_MAX:
            self._proofs.popitem(last=False)

    def _now_s(self) -> float:
        return self._clock.monotonic_ms() / 1000


def _name(credential: bytes) -> bytes:
    # Not the credential itself: a dump of our memory should hold as few as can be.
    return hashlib.sha256(credential).digest()

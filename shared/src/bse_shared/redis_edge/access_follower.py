"""Keeps in memory what tokens are checked against, so that checking one asks nobody.

The owner hands messages of `keys.ACCESS_CHANNEL` to `take` (they go over the connection that follows the
market) and runs `reread` as a loop: what the bus lost is found within five seconds. While Redis is away
tokens are still checked, by the keys and revocations last read.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bse_shared.access.principal import Principal
from bse_shared.access.revocations import Revocation, Revocations
from bse_shared.access.signing_keys import SigningKeyRecord, key_ring
from bse_shared.access.tokens import Reason, TokenRefused, TokenRules, verify
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.access_store import KEYS_CHANGED, AccessStore
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.wire.records import from_json


REREAD_INTERVAL_S = 5.0
UNKNOWN_KEY_INTERVAL_MS = 1_000
"""A flood of made-up key ids costs one reading in so long."""


class AccessFollower:
    """Who may come in, as last heard. One for a process."""

    def __init__(
        self,
        store: AccessStore,
        clock: Clock,
        rules: TokenRules,
        on_revoked: Callable[[Revocation], None] = lambda _: None,
    ):
        """`on_revoked` is told each revocation once, at once: close what it covers."""
        self.on_revoked = on_revoked
        self.revocations = Revocations()
        self.signing_keys: list[SigningKeyRecord] = []
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._store = store
        self._clock = clock
        self._rules = rules
        self._read_at_ms: float | None = None
        self._asked_at_ms = -float("inf")
        self._wanted = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether the store was ever read: before, no token can be judged."""
        return self._read_at_ms is not None

    def has_key(self, key_id: str) -> bool:
        """Whether tokens of this key are taken."""
        return key_id in self._keys

    @property
    def age_ms(self) -> float:
        """How old the newest whole reading is; infinite before the first."""
        if self._read_at_ms is None:
            return float("inf")
        return self._clock.monotonic_ms() - self._read_at_ms

    def verify(self, token: str) -> Principal:
        """The principal that the token proves now. Raises TokenRefused."""
        principal = verify(token, self._keys, self._rules, self._clock.wall_ms() / 1000)
        if self.revocations.cover(principal):
            raise TokenRefused(Reason.REVOKED)
        return principal

    async def verify_or_reread(self, token: str) -> Principal:
        """As `verify`; a key not known yet is looked for in the store, at most once a second."""
        try:
            return self.verify(token)
        except TokenRefused as refused:
            now_ms = self._clock.monotonic_ms()
            is_new = refused.reason is Reason.UNKNOWN_KEY
            if not is_new or now_ms - self._asked_at_ms < UNKNOWN_KEY_INTERVAL_MS:
                raise
            self._asked_at_ms = now_ms
            with suppress(StoreUnavailable):
                await self.read()
        return self.verify(token)

    def still_valid(self, principal: Principal) -> bool:
        """Whether what was proved earlier still holds: neither expired nor revoked, nor its key withdrawn."""
        end_ms = principal.expires_at_ms
        if end_ms is not None and self._clock.wall_ms() >= end_ms:
            return False
        if principal.jti and principal.key_id not in self._keys:
            return False
        return not self.revocations.cover(principal)

    def take(self, data: bytes) -> None:
        """One message of the channel."""
        if data == KEYS_CHANGED:
            self._wanted.set()
        elif revocation := from_json(data, Revocation):
            self.note(revocation)

    def note(self, revocation: Revocation) -> None:
        """Take in a revocation, made here or told."""
        self._add([revocation])

    async def reread(self) -> None:
        """One round: read all, then wait five seconds or until a new signing key is told."""
        await self.read()
        try:
            await asyncio.wait_for(self._wanted.wait(), REREAD_INTERVAL_S)
        except TimeoutError:
            return

    async def read(self) -> None:
        """Read keys and revocations from the store."""
        self._wanted.clear()
        began_ms = self._clock.monotonic_ms()
        now_ms = self._clock.wall_ms()
        state = await self._store.state(now_ms)
        ring = key_ring(state.signing_keys, now_ms)
        # A store without any key has lost its data: signers will publish again in seconds.
        if ring or not self._keys:
            self.signing_keys, self._keys = state.signing_keys, ring
        self.revocations.forget(now_ms)
        self._add(state.revocations)
        self._read_at_ms = began_ms

    def _add(self, revocations: list[Revocation]) -> None:
        for each in self.revocations.add(revocations, self._clock.wall_ms()):
            self.on_revoked(each)

"""Puts identity together, and keeps what it publishes alive."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bse_gateway.identity.act_log import ActLog
from bse_gateway.identity.doorkeeper import Doorkeeper
from bse_gateway.identity.guard import Guard
from bse_gateway.identity.key_desk import KeyDesk
from bse_gateway.identity.signer import Signer
from bse_gateway.identity.spending import Spending
from bse_gateway.identity.token_desk import TokenDesk
from bse_gateway.key_file import read_private_key
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.settings import AuthSettings
from bse_shared.access.tokens import TokenRules
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.access_follower import AccessFollower
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.identity_store import IdentityStore


PUBLISH_INTERVAL_S = 5.0
KEY_OUTLIVES_SIGNER_MS = 1_800_000
"""A public key stays so long after its signer stopped renewing it: longer than any token lives."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The parts that routes and loops use."""

    guard: Guard
    tokens: TokenDesk
    keys: KeyDesk
    acts: ActLog
    store: IdentityStore
    shared: AccessStore
    access: AccessFollower
    spending: Spending
    signer: Signer
    clock: Clock
    pepper: bytes
    demo_key: bool

    async def publish(self) -> None:
        """Renew what others rely on: our public key, and the demo key where it is wanted."""
        now_ms = self.clock.wall_ms()
        record = self.signer.published(now_ms + KEY_OUTLIVES_SIGNER_MS)
        await self.shared.publish_key(record, now_ms)
        if not self.access.has_key(self.signer.key_id):
            await self.access.read()
        if self.demo_key:
            await self.keys.keep_demo_key()


def put_together(
    shared: AccessStore,
    store: IdentityStore,
    settings: AuthSettings,
    clock: Clock,
    metrics: GatewayMetrics,
    instance: str,
) -> Identity:
    """Everything of identity. Without a key file, a signing key is made that lives as long as the process."""
    rules = TokenRules(settings.issuer, settings.audience)
    path = settings.signing_key_file
    private = read_private_key(path) if path else Ed25519PrivateKey.generate()
    signer = Signer(private, rules)
    access = AccessFollower(shared, clock, rules)
    doorkeeper = Doorkeeper(
        access,
        store,
        settings.pepper_bytes,
        clock,
        failures_per_minute=settings.failures_per_minute,
        demo_allowed=not settings.is_production,
    )
    access.on_revoked = doorkeeper.forget
    spending = Spending(shared, clock, instance)
    return Identity(
        guard=Guard(settings, doorkeeper, access, spending, metrics),
        tokens=TokenDesk(settings, signer, doorkeeper, access, shared, store, clock),
        keys=KeyDesk(store, settings.pepper_bytes, clock),
        acts=ActLog(store, clock),
        store=store,
        shared=shared,
        access=access,
        spending=spending,
        signer=signer,
        clock=clock,
        pepper=settings.pepper_bytes,
        demo_key=settings.demo_key,
    )

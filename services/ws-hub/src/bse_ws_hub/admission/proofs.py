"""From a token or a ticket to the principal that it proves; counts the failures of each address."""

from dataclasses import dataclass, field

from bse_shared.access.budgets import Budgets
from bse_shared.access.principal import Principal
from bse_shared.access.roles import Scope
from bse_shared.access.sessions import Ticket
from bse_shared.access.tokens import LIFETIME_MAX_S, TokenRefused
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.access_follower import AccessFollower
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_ws_hub.admission.refused import Refused, Why


@dataclass(slots=True)
class Proofs:
    """Judges credentials. Tokens by what `access` follows, in memory; tickets by the store, which gives each once."""

    access: AccessFollower
    store: AccessStore
    clock: Clock
    failures_per_minute: int
    _failures: Budgets = field(default_factory=Budgets)

    def check_failures(self, address: str) -> None:
        """Raise Refused for an address that has failed too often in the last minute."""
        limit = self.failures_per_minute
        spent = self._failures.look(address, limit, self._now_s())
        if not spent.allowed:
            raise Refused(Why.TOO_MANY_FAILURES, retry_after_s=spent.reset_s)

    async def of_token(self, token: str, address: str) -> Principal:
        """The principal that the token proves. Raises Refused."""
        if not self.access.ready:
            raise Refused(Why.NOT_READY)
        self.check_failures(address)
        try:
            principal = await self.access.verify_or_reread(token)
        except TokenRefused as refused:
            raise self._failed(address, refused.reason.value) from refused
        # Requests may come a little late; a stream would end as soon as it began.
        if not self.access.still_valid(principal):
            raise Refused(Why.TOKEN_REFUSED, "expired")
        return _with_scope(principal)

    async def of_ticket(self, text: str, address: str) -> Ticket:
        """What the ticket opens; it opens nothing any more. Raises Refused."""
        if not self.access.ready:
            raise Refused(Why.NOT_READY)
        try:
            ticket = await self.store.redeem_ticket(text)
        except StoreUnavailable as error:
            raise Refused(Why.STORE_UNAVAILABLE) from error
        if ticket is None:
            raise self._failed(address, "ticket")
        principal = ticket.principal
        if not principal.is_anonymous and not self.access.still_valid(principal):
            end_ms = principal.expires_at_ms
            late = end_ms is not None and self.clock.wall_ms() >= end_ms
            raise Refused(Why.TOKEN_REFUSED, "expired" if late else "revoked")
        _with_scope(principal)
        return ticket

    def hold(self, principal: Principal) -> bool:
        """Whether what was proved still holds. Without news of revocations, no longer than a token lives."""
        if principal.is_anonymous:
            return True
        endless = principal.expires_at_ms is None
        if endless and self.access.age_ms > LIFETIME_MAX_S * 1000:
            return False
        return self.access.still_valid(principal)

    def _failed(self, address: str, detail: str) -> Refused:
        self._failures.add(address, 1, self._now_s())
        return Refused(Why.TOKEN_REFUSED, detail)

    def _now_s(self) -> float:
        return self.clock.monotonic_ms() / 1000


def _with_scope(principal: Principal) -> Principal:
    if not principal.may(Scope.STREAM_READ):
        raise Refused(Why.SCOPE_MISSING, "scope")
    return principal

"""Stands before each route: who asks, may he, has he budget left. Nothing here waits for Redis on the usual path."""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bse_gateway.identity.credentials import shown_in
from bse_gateway.identity.doorkeeper import Doorkeeper
from bse_gateway.identity.errors import (
    AddressRefused,
    CredentialsNeeded,
    OverBudget,
    Refusal,
    ScopeMissing,
)
from bse_gateway.identity.policy import POLICY, Requirement
from bse_gateway.identity.spending import Spending
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.settings import AuthSettings
from bse_shared.access.addresses import is_within, payer
from bse_shared.access.budgets import Spent
from bse_shared.access.principal import ANONYMOUS, Principal
from bse_shared.access.roles import Scope as Granted
from bse_shared.redis_edge.access_follower import AccessFollower
from bse_shared.redis_edge.connection import StoreUnavailable


REVOCATIONS_AGE_MAX_MS = 30_000
"""Administration stops when revocations were not read for so long; quotes go on until tokens expire."""


class Guard:
    """Decides for each request, before its route sees it."""

    def __init__(
        self,
        settings: AuthSettings,
        doorkeeper: Doorkeeper,
        access: AccessFollower,
        spending: Spending,
        metrics: GatewayMetrics,
    ):
        self._settings = settings
        self._doorkeeper = doorkeeper
        self._access = access
        self._spending = spending
        self._metrics = metrics
        self._is_off = settings.effective_mode == "off"
        self._is_required = settings.effective_mode == "required"
        self._admin_networks = settings.networks

    def stand_before(self, routes: Sequence[BaseRoute]) -> None:
        """Guard every API route there is. Raises KeyError for one that the policy does not list."""
        for route in routes:
            if isinstance(route, APIRoute):
                for method in route.methods or ():
                    requirement = POLICY[method, route.path]
                    route.app = _Guarded(route.app, self, requirement)

    async def admit(self, requirement: Requirement, scope: Scope) -> None:
        """Let the request pass, its principal in the state, or raise the Refusal."""
        host = scope["client"][0] if scope["client"] else ""
        try:
            if requirement.scope is None:
                limit = self._settings.token_requests_per_minute
                self._spend(scope, f"auth:{payer(host)}", limit)
            elif self._is_off and not requirement.is_admin:
                scope["state"]["principal"] = ANONYMOUS
            else:
                principal = self._known(requirement, scope, host)
                if principal is None:
                    shown = shown_in(scope["headers"]) or b""
                    principal = await self._doorkeeper.prove(shown, payer(host))
                self._let_in(principal, requirement.scope, scope, host)
        except Refusal as refused:
            self._metrics.refused.labels(refused.reason).inc()
            raise

    def recognise(self, credential: bytes | None) -> Principal | None:
        """Who asks for quotes, where no question is left; None: let `admit` decide."""
        if self._is_off:
            return ANONYMOUS
        if credential is None:
            return None if self._is_required else ANONYMOUS
        principal = self._doorkeeper.known(credential)
        if principal is None or Granted.QUOTES_READ not in principal.scopes:
            return None
        return principal

    def charge(self, principal: Principal, host: str) -> Spent | None:
        """Take one request out of the budget of who was recognised, if one is left; None: nobody counts."""
        if self._is_off:
            return None
        limit = principal.limits.requests_per_minute
        return self._spending.spend(_caller(principal, host), limit)

    def _known(
        self, requirement: Requirement, scope: Scope, host: str
    ) -> Principal | None:
        """Who asks, as far as it is known; None: by a credential that is to be proved."""
        if requirement.is_admin:
            self._check_admin(host)
        shown = shown_in(scope["headers"])
        if shown is not None:
            return self._doorkeeper.known(shown)
        if self._is_required or requirement.is_admin:
            raise CredentialsNeeded
        return ANONYMOUS

    def _let_in(
        self, principal: Principal, wanted: str, scope: Scope, host: str
    ) -> None:
        scope["state"]["principal"] = principal
        self._spend(
            scope, _caller(principal, host), principal.limits.requests_per_minute
        )
        if wanted not in principal.scopes:
            raise ScopeMissing(wanted)

    def _check_admin(self, host: str) -> None:
        if not is_within(host, self._admin_networks):
            raise AddressRefused
        if self._access.age_ms > REVOCATIONS_AGE_MAX_MS:
            raise StoreUnavailable("revocations are not known")

    def _spend(self, scope: Scope, caller: str, limit: int) -> None:
        spent = self._spending.spend(caller, limit)
        scope["state"]["spent"] = spent
        if not spent.allowed:
            raise OverBudget(spent)


def _caller(principal: Principal, host: str) -> str:
    """Whose budget pays."""
    return f"ip:{payer(host)}" if principal.is_anonymous else principal.sub


class _Guarded:
    """A route's application behind the guard (pure ASGI)."""

    def __init__(self, app: ASGIApp, guard: Guard, requirement: Requirement):
        self._app = app
        self._guard = guard
        self._requirement = requirement

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._guard.admit(self._requirement, scope)
        await self._app(scope, receive, send)

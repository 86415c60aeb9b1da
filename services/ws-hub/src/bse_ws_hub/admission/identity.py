"""Who a stream belongs to, and how much it may use. Pure."""

from typing import Any, NamedTuple

from bse_shared.access.principal import ANONYMOUS, Principal
from bse_shared.access.roles import Limits


class Ceiling(NamedTuple):
    """What this hub grants at most, whatever the role."""

    symbols: int
    commands_per_s: float


class Identity(NamedTuple):
    """`owner`: whose stream it is, a subject or an address. `proved`: whether it may be used yet."""

    principal: Principal
    owner: str
    symbols: int
    commands_per_s: float
    connections: int | None
    all_symbols: bool
    proved: bool = True

    @property
    def is_named(self) -> bool:
        """Whether it is somebody in particular."""
        return not self.principal.is_anonymous

    @property
    def described(self) -> dict[str, Any] | None:
        """As the client is told; None: nobody in particular."""
        if not self.is_named:
            return None
        return {
            "subject": self.principal.sub,
            "role": self.principal.role,
            "expires_at_ms": self.principal.expires_at_ms,
        }

    @property
    def limits(self) -> dict[str, Any]:
        """As the client is told."""
        return {
            "symbols": self.symbols,
            "commands_per_s": self.commands_per_s,
            "connections": self.connections,
            "all_symbols": self.all_symbols,
        }


def identity_of(principal: Principal, ceiling: Ceiling) -> Identity:
    """Of a proved principal."""
    return _within(principal, principal.sub, principal.limits, ceiling)


def identity_of_nobody(address: str, ceiling: Ceiling, *, proved: bool) -> Identity:
    """Of who has shown nothing (yet): counted by address."""
    found = _within(ANONYMOUS, f"ip:{address}", ANONYMOUS.limits, ceiling)
    return found._replace(proved=proved)


def uncounted(address: str, ceiling: Ceiling) -> Identity:
    """Of anybody, where nobody is asked: the hub's own limits alone."""
    return Identity(
        principal=ANONYMOUS,
        owner=f"ip:{address}",
        symbols=ceiling.symbols,
        commands_per_s=ceiling.commands_per_s,
        connections=None,
        all_symbols=True,
    )


def _within(
    principal: Principal, owner: str, limits: Limits, ceiling: Ceiling
) -> Identity:
    return Identity(
        principal=principal,
        owner=owner,
        symbols=min(limits.symbols, ceiling.symbols),
        commands_per_s=min(limits.commands_per_s, ceiling.commands_per_s),
        connections=limits.connections,
        all_symbols=limits.may_subscribe_all,
    )

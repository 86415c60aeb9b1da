"""Writes administrative acts down: in the audit chain, and as a log line."""

from dataclasses import dataclass

import structlog

from bse_shared.access.audit import Act
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.identity_store import IdentityStore


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who administers, from where, in which request."""

    who: str
    request_id: str = ""
    address: str = ""


class ActLog:
    """The log of acts."""

    def __init__(self, store: IdentityStore, clock: Clock):
        self._store = store
        self._clock = clock

    async def note(self, actor: Actor, what: str, target: str, result: str) -> None:
        """Somebody did, or tried, something."""
        log.info(
            "gateway.admin", who=actor.who, what=what, target=target, result=result
        )
        act = Act(
            at_ms=self._clock.wall_ms(),
            who=actor.who,
            what=what,
            target=target,
            result=result,
            request_id=actor.request_id,
            address=actor.address,
        )
        await self._store.write_audit(act)

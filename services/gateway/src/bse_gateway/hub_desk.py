"""Gives operators' orders to the hubs: drain one or all, and take that back; every act is in the audit log, with its result."""

from typing import NamedTuple

from bse_gateway.identity.act_log import ActLog, Actor
from bse_gateway.lookup import Market
from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.redis_edge.instances import Instances
from bse_shared.wire.records import ALL_HUBS, DrainRecord, Heartbeat


SERVICE = "ws-hub"


class DrainConflict(Exception):
    """The order would do nothing as things are; the text says why, for people."""


class Hub(NamedTuple):
    """A hub as it was last heard, and the drain that stands for it."""

    heartbeat: Heartbeat
    drain: DrainRecord | None


class HubDesk:
    """One drain an instance, and one for all; each ends by itself."""

    def __init__(
        self, controls: HubControls, instances: Instances, market: Market, acts: ActLog
    ):
        self._controls = controls
        self._instances = instances
        self._market = market
        self._acts = acts

    async def drain(
        self, instance: str, for_s: int, why: str, actor: Actor
    ) -> DrainRecord:
        """Send the clients of a hub, or of all, away. Raises DrainConflict, StoreUnavailable."""
        now_ms = self._market.now_ms()
        order = DrainRecord(
            by=actor.who,
            at_ms=now_ms,
            ends_at_ms=now_ms + for_s * 1000,
            instance=instance,
            why=why,
        )
        if instance != ALL_HUBS and instance not in await self._heard():
            await self._acts.note(actor, "hub.drain", instance, "conflict")
            raise DrainConflict("No hub of this name was heard lately.")
        await self._controls.drain(order)
        await self._acts.note(actor, "hub.drain", instance, "done")
        return order

    async def resume(self, instance: str, why: str, actor: Actor) -> DrainRecord:
        """End the drain of a hub, or every drain there is. Raises DrainConflict, StoreUnavailable."""
        now_ms = self._market.now_ms()
        order = DrainRecord(
            by=actor.who, at_ms=now_ms, ends_at_ms=now_ms, instance=instance, why=why
        )
        standing = await self._controls.in_force(now_ms)
        if not standing or instance not in {ALL_HUBS, *standing}:
            await self._acts.note(actor, "hub.resume", instance, "conflict")
            for_all = "; all hubs are drained together" if ALL_HUBS in standing else ""
            raise DrainConflict(f"No drain of this hub is in force{for_all}.")
        await self._controls.resume(order)
        await self._acts.note(actor, "hub.resume", instance, "done")
        return order

    async def in_force(self) -> dict[str, DrainRecord]:
        """The drains in force, by instance."""
        return await self._controls.in_force(self._market.now_ms())

    async def hubs(self) -> list[Hub]:
        """The hubs that were heard lately."""
        standing = await self.in_force()
        everybody = standing.get(ALL_HUBS)
        return [
            Hub(beat, standing.get(name, everybody))
            for name, beat in (await self._heard()).items()
        ]

    async def newest(self) -> list[DrainRecord]:
        """The newest orders, the newest first."""
        return (await self._controls.log())[::-1]

    async def _heard(self) -> dict[str, Heartbeat]:
        beats = await self._instances.all(self._market.now_ms())
        return {beat.instance: beat for beat in beats if beat.service == SERVICE}

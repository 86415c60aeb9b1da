"""The composition root of the hub: the only place that constructs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.connection import StoreUnavailable, open_redis
from bse_shared.redis_edge.demand_board import REPORT_EVERY_S, DemandBoard
from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.redis_edge.instances import Instances, Subscriptions
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.redis_edge.store import MarketStore
from bse_shared.redis_edge.stream_leases import StreamLeases
from bse_shared.service.heartbeat import heartbeat_loop
from bse_shared.service.loops import Loop
from bse_shared.service.runner import Service, Shell
from bse_ws_hub.admission.parts import put_together
from bse_ws_hub.answers import Answers
from bse_ws_hub.clients import Clients
from bse_ws_hub.follow_sets import SetFollower
from bse_ws_hub.hub.fan_out import FanOut
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.keep_sets import STEP_INTERVAL_S as KEEP_SETS_S
from bse_ws_hub.keep_sets import SetKeeper
from bse_ws_hub.loops.flush import Flusher
from bse_ws_hub.loops.obey import LOOK_INTERVAL_S as LOOK_FOR_ORDERS_S
from bse_ws_hub.loops.obey import DrainObedience
from bse_ws_hub.loops.tell_demand import DemandTeller
from bse_ws_hub.loops.watch_identities import LOOK_INTERVAL_S, IdentityWatch
from bse_ws_hub.metrics import HubMetrics
from bse_ws_hub.set_writer import LOOK_INTERVAL_S as LOOK_FOR_SETS_S
from bse_ws_hub.set_writer import SetWriter
from bse_ws_hub.settings import WsHubSettings
from bse_ws_hub.sockets.catch_up import CatchUp
from bse_ws_hub.sockets.direct_protocol import DirectProtocol
from bse_ws_hub.sockets.raw_door import RawDoor
from bse_ws_hub.sockets.socketio_door import SocketIoDoor
from bse_ws_hub.sockets.sse_door import SseDoor
from bse_ws_hub.sockets.stream_protocol import StreamProtocol


@asynccontextmanager
async def assemble(settings: WsHubSettings, shell: Shell) -> AsyncIterator[Service]:
    """Build the hub."""
    async with open_redis(settings.redis, shell.instance) as redis:
        store = MarketStore(redis, shell.clock, settings.market.shards)
        subscriptions = Subscriptions(redis)
        hub = Hub()
        follower = QuoteFollower(
            redis,
            store,
            lambda changes: flusher.changed(changes),
            {
                keys.SUBSCRIPTION_CHANNEL: lambda data: sets.changed(data),
                keys.ACCESS_CHANNEL: lambda data: parts.access.take(data),
                keys.TAKEOVER_CHANNEL: lambda data: parts.keeper.takeovers.take(data),
            },
        )
        fan_out = FanOut(hub, follower.table, settings.hub.history_updates)
        metrics = HubMetrics(shell.registry)
        # One that starts anew under the same name is another: hence the random part.
        leases = StreamLeases(redis, shell.clock, f"{shell.instance}.{token_hex(4)}")
        parts = put_together(
            leases,
            AccessStore(redis),
            settings,
            shell.clock,
            metrics,
            store.now_ms,
        )
        clients = Clients(
            hub=hub,
            follower=follower,
            settings=settings.hub,
            metrics=metrics,
            clock=shell.clock,
            doorkeeper=parts.keeper,
        )
        watch = IdentityWatch(clients)
        parts.access.on_revoked = watch.revoked
        writer = SetWriter(subscriptions, follower, shell.clock)
        clients.on_gone = writer.gone
        answers = Answers(clients, writer)
        sets = SetFollower(answers)
        answers.on_claimed = sets.want
        keeper = SetKeeper(clients, subscriptions, writer)
        flusher = Flusher(clients, fan_out)
        demand = DemandTeller(DemandBoard(redis), hub, leases.hub, store.now_ms)
        raw_door = RawDoor(answers, sets)
        socketio_door = SocketIoDoor(answers, sets)
        catch_up = CatchUp(follower, store.heads)

        obedience = DrainObedience(
            controls=HubControls(redis),
            instance=shell.instance,
            now_ms=store.now_ms,
            clients=clients,
            send_away=socketio_door.drain,
            is_ending=lambda: shell.health.draining,
        )

        app = FastAPI(title="bse-ws-hub", docs_url=None, redoc_url=None)
        app.add_route("/sse", SseDoor(answers, catch_up).serve)

        def detail() -> dict[str, Any]:
            return {
                "connections": len(clients.all),
                "subscriptions": hub.subscriptions,
                "groups": len(hub.groups),
                "quotes": len(follower.table.images),
                "bus_connected": follower.connected,
                "frames": follower.frames,
                "resyncs": follower.resyncs,
            }

        def not_ready() -> list[str]:
            return [
                *([] if follower.ready else ["the market was not read yet"]),
                *([] if follower.connected else ["the bus is not connected"]),
                *obedience.reasons(),
            ]

        flush_s = settings.hub.flush_interval_ms / 1000
        loops = [
            Loop("follow the bus", follower.follow_bus, silence_max_s=None),
            Loop("repair from the store", follower.repair),
            Loop("flush", flusher.step, flush_s, silence_max_s=10),
            Loop("look after clients", flusher.look_after_clients, 1.0),
            Loop("follow stored sets", sets.step, silence_max_s=None),
            Loop("start with stored sets", sets.start_next, silence_max_s=None),
            Loop("store sets", writer.step, LOOK_FOR_SETS_S),
            Loop("keep sets", keeper.step, KEEP_SETS_S),
            Loop("watch identities", watch.step, LOOK_INTERVAL_S),
            Loop("wait for others", raw_door.wait_for_others, silence_max_s=None),
            *parts.loops(),
            Loop(
                "close Socket.IO", socketio_door.ends.carry_out_next, silence_max_s=None
            ),
            Loop("tell demand", demand.step, REPORT_EVERY_S),
            Loop("obey", obedience.step, LOOK_FOR_ORDERS_S),
            heartbeat_loop(shell, Instances(redis), store.now_ms, detail),
        ]
        try:
            yield Service(
                app=app,
                asgi=Doors(raw_door, socketio_door.asgi(app)),
                loops=loops,
                not_ready=not_ready,
                detail=detail,
                drain=Ending(catch_up, socketio_door, writer).drain,
                server_options={
                    "http": StreamProtocol,
                    "ws": DirectProtocol,
                    "ws_max_size": settings.hub.message_bytes_max,
                    "ws_per_message_deflate": False,
                },
            )
        finally:
            with suppress(StoreUnavailable):
                await parts.keeper.desk.leave()
                await demand.board.withdraw(demand.name)
                await Instances(redis).leave(shell.service, shell.instance)


@dataclass(frozen=True, slots=True)
class Ending:
    """What is done at shutdown, while the loops still run."""

    catch_up: CatchUp
    door: SocketIoDoor
    writer: SetWriter

    async def drain(self) -> None:
        """All clients gone, and what they subscribed to stored."""
        self.catch_up.give_up()
        await self.door.drain()
        with suppress(StoreUnavailable):
            await self.writer.finish()


@dataclass(frozen=True, slots=True)
class Doors:
    """The busiest door first: nothing of what serves the others is held for a raw connection."""

    raw: ASGIApp
    others: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on."""
        is_raw = scope["type"] == "websocket" and scope["path"] == "/ws"
        await (self.raw if is_raw else self.others)(scope, receive, send)

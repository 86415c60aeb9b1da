"""A small market on clocks that the test moves, and a real server in front of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from bse_exchange_sim.answers.catalogue import Catalogue
from bse_exchange_sim.app import create_app, create_simulator
from bse_exchange_sim.load import load_universe
from bse_exchange_sim.market_clock import IST
from bse_exchange_sim.server import Server, listen
from bse_exchange_sim.settings import Settings
from bse_exchange_sim.simulator import Simulator


GOOD_HEADERS = {
    "user-agent": "test-agent/1.0",
    "accept": "application/json",
    "accept-language": "en",
    "accept-encoding": "gzip",
    "referer": "https://www.bseindia.com/",
}
Running = Callable[[Simulator], AbstractAsyncContextManager[httpx.AsyncClient]]


class HandClock:
    """Both clocks of the simulator, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 9, 30, 11, 0, 0, tzinfo=IST)
        self.seconds = 0.0

    def wall(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


class Asker:
    """Asks one simulator for answers, decoded."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.catalogue = Catalogue()

    def __call__(self, path: str, **query: str) -> Any:
        market = self.simulator.exchange.look(self.simulator.wall_clock())
        body = self.catalogue.answer(market, path, query)
        assert body is not None
        return json.loads(body)

    def table(self, kind: str, value: str = "All") -> list[dict[str, Any]]:
        path = "/BseIndiaAPI/api/GetMktData/w"
        return self(path, strtype=kind, strfilter=value)["Table"]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def simulate(clock: HandClock) -> Callable[..., Simulator]:
    """Open a simulator of 60 scrips on the hand clock."""

    def start(**wanted: object) -> Simulator:
        settings = Settings(**{"scrips": 60, **wanted})
        return create_simulator(
            settings, load_universe(settings), clock.wall, clock.monotonic
        )

    return start


@pytest.fixture
def ask(simulate: Callable[..., Simulator]) -> Asker:
    """Ask a simulator of 300 scrips."""
    return Asker(simulate(scrips=300))


@pytest.fixture
def ask_of() -> type[Asker]:
    """Ask any simulator."""
    return Asker


@pytest.fixture
def running() -> Running:
    """Serve a simulator on a free port while the context lasts."""

    @asynccontextmanager
    async def serve(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
        listener = listen("127.0.0.1", 0)
        server = Server(create_app(Settings(), simulator))
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            await server.listening.wait()
            async with httpx.AsyncClient(base_url=base, headers=GOOD_HEADERS) as client:
                yield client
            server.stop()
        listener.close()

    return serve

"""Puts the simulator together: settings and universe in, web application out."""

from collections.abc import Callable
from datetime import datetime, timedelta

from fastapi import FastAPI
from starlette.routing import Route

from bse_exchange_sim.admin import admin_routes
from bse_exchange_sim.exchange import Exchange
from bse_exchange_sim.faults.book import FaultBook
from bse_exchange_sim.load import Universe, load_universe
from bse_exchange_sim.market_clock import (
    IST,
    ContinuousClock,
    MarketClock,
    ReplayClock,
    SessionClock,
)
from bse_exchange_sim.seeding import rng_for
from bse_exchange_sim.settings import Activity, Mode, Settings, Switch
from bse_exchange_sim.simulator import Simulator
from bse_exchange_sim.system_clock import monotonic_s, wall_clock


_FAULT_STREAM = 11


def market_clock(
    settings: Settings, universe: Universe, started_at: datetime
) -> MarketClock:
    """Return the clock of the asked mode."""
    match settings.mode:
        case Mode.SESSION:
            return SessionClock(started_at)
        case Mode.REPLAY:
            day = universe.trade_date or started_at.astimezone(IST).date()
            return ReplayClock(started_at, day, settings.speed)
        case _:
            return ContinuousClock(started_at)


def create_simulator(
    settings: Settings,
    universe: Universe,
    wall: Callable[[], datetime] = wall_clock,
    monotonic: Callable[[], float] = monotonic_s,
) -> Simulator:
    """Open the exchange; the clocks can be given."""
    started_at = wall()
    exchange = Exchange(
        universe.listings,
        market_clock(settings, universe, started_at),
        started_at,
        seed=settings.seed,
        tick=timedelta(milliseconds=settings.tick_ms),
        every_tick=settings.activity is Activity.EVERY_TICK,
    )
    return Simulator(
        exchange,
        FaultBook(rng_for(settings.seed, _FAULT_STREAM)),
        wall_clock=wall,
        monotonic_s=monotonic,
        header_rules=settings.header_rules is Switch.ON,
    )


def create_app(
    settings: Settings | None = None, simulator: Simulator | None = None
) -> FastAPI:
    """Return the web application; what is not given is read from the environment."""
    settings = settings or Settings()
    simulator = simulator or create_simulator(settings, load_universe(settings))
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.simulator = simulator
    app.include_router(admin_routes(simulator))
    app.router.routes.append(
        Route("/{path:path}", simulator.answer, methods=["GET", "HEAD"])
    )
    return app

"""The doors for people and probes: faults, state, liveness (edge)."""

import re

import msgspec
import structlog
from fastapi import APIRouter, Request, Response

from bse_exchange_sim.faults.book import Fault, TooManyFaultsError
from bse_exchange_sim.faults.kinds import KINDS, WrongFaultError, read_fault
from bse_exchange_sim.simulator import Simulator


_log = structlog.get_logger()

_FAULT_ID = re.compile(r"[0-9]{1,9}")
_JSON = "application/json"
_CREATED = 201
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_TOO_MANY = 429


def _json(document: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status, media_type=_JSON)


def _shown(fault: Fault, now_s: float) -> dict[str, object]:
    left = None if fault.until_s is None else round(fault.until_s - now_s, 3)
    request = msgspec.to_builtins(fault.request)
    return {"id": fault.id, **request, "used": fault.used, "seconds_left": left}


def _faults(simulator: Simulator) -> list[dict[str, object]]:
    now = simulator.monotonic_s()
    return [_shown(fault, now) for fault in simulator.faults.armed(now)]


def state_of(simulator: Simulator) -> dict[str, object]:
    """Return where the market and the faults stand."""
    exchange = simulator.exchange
    market = exchange.look(simulator.wall_clock())
    moment = market.moment
    return {
        "mode": exchange.clock.mode,
        "speed": exchange.clock.speed,
        "day": moment.day,
        "trade_date": moment.trade_date,
        "progress": moment.progress,
        "virtual_time": moment.now,
        "is_open": moment.is_open,
        "finished": moment.finished,
        "tick": market.tick,
        "scrips": len(market.listings),
        "requests": {
            "by_endpoint": dict(simulator.by_endpoint),
            "by_status": dict(simulator.by_status),
        },
        "faults": _faults(simulator),
    }


def admin_routes(simulator: Simulator) -> APIRouter:
    """Return the routes that watch and disturb the simulator."""
    routes = APIRouter()

    @routes.get("/livez")
    @routes.get("/readyz")
    async def alive() -> Response:
        return _json({"status": "ok"})

    @routes.get("/admin/state")
    async def state() -> Response:
        return _json(state_of(simulator))

    @routes.get("/admin/faults")
    async def list_faults() -> Response:
        return _json({"faults": _faults(simulator), "kinds": KINDS})

    @routes.post("/admin/faults")
    async def arm(request: Request) -> Response:
        return _arm(simulator, await request.body())

    @routes.delete("/admin/faults")
    async def clear() -> Response:
        removed = simulator.faults.clear()
        simulator.hanging.release_all()
        _log.info("sim.faults_cleared", removed=removed)
        return _json({"removed": removed})

    @routes.delete("/admin/faults/{fault_id}")
    async def remove(fault_id: str) -> Response:
        number = int(fault_id) if _FAULT_ID.fullmatch(fault_id) else 0
        freed = simulator.hanging.release(number)
        if not simulator.faults.remove(number) and not freed:
            return _json({"error": f"no fault {fault_id}"}, _NOT_FOUND)
        _log.info("sim.fault_removed", fault=number)
        return _json({"removed": 1})

    return routes


def _arm(simulator: Simulator, body: bytes) -> Response:
    now = simulator.monotonic_s()
    try:
        fault = simulator.faults.arm(read_fault(body), now)
    except WrongFaultError as error:
        wrong = {"error": "wrong_fault", "detail": str(error), "kinds": KINDS}
        return _json(wrong, _UNPROCESSABLE)
    except TooManyFaultsError as error:
        return _json({"error": "too_many_faults", "detail": str(error)}, _TOO_MANY)
    asked = fault.request
    _log.info("sim.fault_armed", fault=fault.id, kind=asked.kind, path=asked.path)
    return _json(_shown(fault, now), _CREATED)

"""The probes of every service: /livez, /readyz, /health, /metrics."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bse_shared.service.health import Health


NOT_READY = 503


def probe_routes(
    health: Health,
    registry: CollectorRegistry,
    identity: dict[str, str],
    detail: Callable[[], dict[str, Any]],
) -> APIRouter:
    """The routes; they read state only, so a probe never waits for Redis."""
    router = APIRouter(tags=["probes"])

    @router.get("/livez", summary="Is the process alive? 503 asks for a restart.")
    async def livez() -> JSONResponse:
        stuck = health.stuck()
        return JSONResponse(
            {"status": "stuck" if stuck else "alive", "stuck": stuck},
            NOT_READY if stuck else 200,
        )

    @router.get("/readyz", summary="Should this instance get traffic?")
    async def readyz() -> JSONResponse:
        reasons = health.reasons()
        return JSONResponse(
            {"ready": not reasons, "reasons": reasons}, NOT_READY if reasons else 200
        )

    @router.get("/health", summary="What this instance is and how it does.")
    async def read_health() -> JSONResponse:
        reasons = [*health.stuck(), *health.reasons()]
        body = {
            "status": "degraded" if reasons else "ok",
            **identity,
            "reasons": reasons,
            **detail(),
        }
        return JSONResponse(body, NOT_READY if health.stuck() else 200)

    @router.get("/metrics", summary="Prometheus metrics.", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router

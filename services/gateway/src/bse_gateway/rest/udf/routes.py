"""The datafeed's routes, as the contract has them."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse

from bse_gateway.rest.contract import problems
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.udf.door import UdfDoor
from bse_gateway.rest.udf.replies import (
    UdfBarsReply,
    UdfConfigReply,
    UdfErrorReply,
    UdfFoundReply,
    UdfNoDataReply,
    UdfQuotesReply,
    UdfSymbolReply,
)


def add_udf_routes(app: FastAPI, door: UdfDoor) -> None:
    """Add the routes."""
    bad = problems(Kind.INVALID_REQUEST, Kind.NOT_READY)
    counted = problems(
        Kind.INVALID_REQUEST, Kind.NO_SYMBOLS, Kind.TOO_MANY_SYMBOLS, Kind.NOT_READY
    )
    unknown: dict[int | str, dict[str, Any]] = {
        404: {"model": UdfErrorReply, "description": "No such scrip"}
    }
    away = problems(Kind.NOT_READY, Kind.STORE_UNAVAILABLE)
    text: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    for name, endpoint, summary, model, responses in (
        ("config", door.config, "What the datafeed can do", UdfConfigReply, {}),
        ("time", door.time, "Server time in seconds", None, {**text, **bad}),
        (
            "symbols",
            door.symbols,
            "How to show a scrip",
            UdfSymbolReply,
            {**unknown, **bad},
        ),
        ("search", door.search, "Find scrips", list[UdfFoundReply], bad),
        ("quotes", door.quotes, "Quotes", UdfQuotesReply, counted),
        (
            "history",
            door.history,
            "Bars",
            UdfBarsReply | UdfNoDataReply,
            {**unknown, **bad, 503: away[503]},
        ),
    ):
        app.router.add_api_route(
            f"/udf/{name}",
            endpoint,
            name=f"udf_{name}",
            summary=summary,
            response_model=model,
            response_class=PlainTextResponse if model is None else JSONResponse,
            responses=responses,
            tags=["charts (UDF)"],
        )

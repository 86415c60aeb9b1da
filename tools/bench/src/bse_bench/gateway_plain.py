"""Baseline: the quote route as FastAPI's documentation shows it, without identity, budgets, tags or metrics.

`python -m bse_bench.gateway_plain FILE`: FILE holds a JSON list of quotes as the gateway answers them. Prints its
port, serves until standard input ends.
"""

import asyncio
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from bse_shared.service.garbage import calm_garbage_collector


class Position(BaseModel):
    """As the gateway's."""

    epoch: int
    sequence: int


class Quote(BaseModel):
    """The members of the gateway's quote, prices as floats."""

    symbol: str
    code: int
    isin: str | None
    name: str | None
    group: str | None
    last: float | None
    open: float | None
    high: float | None
    low: float | None
    previous_close: float | None
    volume: int | None
    turnover: float | None
    trades: int | None
    average_price: float | None
    bid: float | None
    bid_quantity: int | None
    ask: float | None
    ask_quantity: int | None
    bids: list[tuple[float, int]] | None
    asks: list[tuple[float, int]] | None
    lower_circuit: float | None
    upper_circuit: float | None
    low_52_week: float | None
    high_52_week: float | None
    exchange_time_ms: int | None
    source: str | None
    condition: str | None
    change: float | None
    change_percent: float | None
    as_of: str | None
    changed_at_ms: int
    position: Position
    quality: str
    confirmed_at_ms: int | None
    age_ms: int | None


def plain_app(quotes: dict[str, dict[str, Any]]) -> FastAPI:
    """The application."""
    app = FastAPI()

    @app.get("/api/stock/{symbol}", response_model=Quote)
    async def read_quote(symbol: str) -> dict[str, Any]:
        quote = quotes.get(symbol.upper())
        if quote is None:
            raise HTTPException(404, "unknown symbol")
        now_ms = int(time.monotonic() * 1000)
        return {**quote, "age_ms": now_ms % 3000}

    return app


async def serve(quotes: list[dict[str, Any]]) -> None:
    """Serve until standard input ends."""
    app = plain_app({quote["symbol"]: quote for quote in quotes})
    calm_garbage_collector()  # as every service does
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    config = uvicorn.Config(app, log_level="error", lifespan="off", backlog=4096)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(uvicorn.Server(config).serve([listener]))
        print(listener.getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        serving.cancel()


if __name__ == "__main__":
    uvloop.run(serve(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))

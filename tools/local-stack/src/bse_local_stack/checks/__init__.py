"""What `make smoke` asks of each door. A check gives a short text of what it saw, or raises CheckFailed."""

from collections.abc import Awaitable, Callable

from bse_local_stack.checks import beyond, quotes, streams, whole
from bse_local_stack.checks.doors import Doors


CHECKS: list[tuple[str, Callable[[Doors], Awaitable[str]]]] = [
    ("all services ready", whole.ready),
    ("GET /api/stock/{symbol}", quotes.quote),
    ("GET /api/stocks/batch", quotes.batch),
    ("unknown symbol: problem 404", quotes.problem),
    ("GET /api/market/status", quotes.market),
    ("indices and their members", beyond.indices),
    ("candles", beyond.candles),
    ("depth", beyond.depth),
    ("movers and breadth", beyond.rankings),
    ("search and instrument pages", beyond.search),
    ("calendar", beyond.calendar),
    ("datafeed for charts", beyond.charts),
    ("GET /health everywhere", whole.health),
    ("GET /metrics everywhere", whole.metrics),
    ("POST /api/subscribe", streams.stored_set),
    ("WebSocket, JSON", streams.raw_json),
    ("WebSocket, MessagePack", streams.raw_msgpack),
    ("Socket.IO", streams.socket_io),
    ("Server-Sent Events", streams.sse),
    ("stream ticket, revocation", streams.revocation),
    ("monitor /status", whole.status),
    ("bse-watch", whole.watch),
    ("exchange down and back", whole.outage),
]

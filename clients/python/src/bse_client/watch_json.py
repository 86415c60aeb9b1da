"""bse-watch without a terminal: one JSON line for each thing that happened. Pure."""

from bse_client.events import (
    Connected,
    Disconnected,
    Event,
    Gap,
    QualityChanged,
    QuoteChanged,
    SubscriptionChanged,
)
from bse_client.exact_json import exact_json
from bse_client.fields import FIELDS
from bse_client.messages import Heartbeat, HubError, Rejection
from bse_client.quote import Quote


def line_of(event: Event) -> str | None:
    """The line of an event; None for those that are no change."""
    raw = _raw(event)
    return None if raw is None else exact_json(raw)


def quote_line(quote: Quote) -> str:
    """The line of a whole quote."""
    return exact_json({"event": "quote"} | _whole(quote))


def rejected_line(item: Rejection) -> str:
    """The line of a rejected symbol."""
    return exact_json({"event": "rejected"} | _rejected(item))


def _raw(event: Event) -> dict[str, object] | None:
    match event:
        case QuoteChanged(quote, changed):
            names = {"changed_fields": sorted(changed)}
            return {"event": "quote"} | _whole(quote) | names
        case QualityChanged(quote, before, after):
            scrip = {"symbol": quote.symbol, "code": quote.code}
            return {"event": "quality"} | scrip | {"before": before, "quality": after}
        case Gap():
            return {"event": "gap", "symbol": event.symbol, "code": event.code}
        case SubscriptionChanged(subscriptions, rejected):
            return {
                "event": "subscriptions",
                "symbols": [item.symbol for item in subscriptions],
                "rejected": [_rejected(item) for item in rejected],
            }
        case _:
            return _raw_of_connection(event)


def _raw_of_connection(
    event: Connected | Disconnected | HubError | Heartbeat,
) -> dict[str, object] | None:
    match event:
        case Connected(session):
            return {"event": "connected", "session": session}
        case Disconnected(reason, retry_in_s):
            wait_ms = int(retry_in_s * 1000)
            return {"event": "disconnected", "reason": reason, "retry_in_ms": wait_ms}
        case HubError(_, reason, message):
            return {"event": "error", "reason": reason, "message": message}
        case Heartbeat():
            return None


def _whole(quote: Quote) -> dict[str, object]:
    names = [
        field.public_name for field in FIELDS if field.name not in {"bids", "asks"}
    ]
    raw: dict[str, object] = {
        "symbol": quote.symbol,
        "code": quote.code,
        "quality": quote.quality,
        "age_ms": quote.age_ms,
        "epoch": quote.epoch,
        "sequence": quote.sequence,
    }
    raw |= {name: getattr(quote, name) for name in names}
    raw |= {"change": quote.change, "change_percent": quote.change_percent}
    for name, side in (("bids", quote.bids), ("asks", quote.asks)):
        raw[name] = side and [[level.price, level.quantity] for level in side]
    return {name: value for name, value in raw.items() if value is not None}


def _rejected(item: Rejection) -> dict[str, object]:
    return {"symbol": item.symbol, "reason": item.reason, "message": item.message}

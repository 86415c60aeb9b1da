"""bse-watch without a terminal: one JSON line for each thing that happened. Pure."""

from dataclasses import asdict

from bse_client.answers import HubError, Rejection
from bse_client.events import (
    Connected,
    DigestMismatch,
    Disconnected,
    Event,
    Gap,
    QualityChanged,
    QuoteChanged,
    Restored,
    SubscriptionChanged,
)
from bse_client.exact_json import exact_json
from bse_client.fields import FIELDS
from bse_client.messages import Heartbeat, LostChanges, Notice
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
        case SubscriptionChanged(subscriptions, rejected):
            return {
                "event": "subscriptions",
                "symbols": [item.symbol for item in subscriptions],
                "rejected": [_rejected(item) for item in rejected],
            }
        case Heartbeat():
            return None
        case Gap() | LostChanges() | DigestMismatch():
            return _raw_of_missing(event)
        case _:
            return _raw_of_connection(event)


def _raw_of_missing(event: Gap | LostChanges | DigestMismatch) -> dict[str, object]:
    match event:
        case Gap():
            return {"event": "gap", "symbol": event.symbol, "code": event.code}
        case LostChanges():
            return {
                "event": "lost",
                "symbol": event.symbol,
                "code": event.code,
                "from": event.from_sequence,
                "to": event.to_sequence,
            }
        case DigestMismatch(count=count):
            return {"event": "digest_mismatch", "count": count}


def _raw_of_connection(
    event: Connected | Restored | Disconnected | Notice | HubError,
) -> dict[str, object]:
    match event:
        case Connected(session):
            return {"event": "connected", "session": session}
        case Restored(resumed, re_imaged):
            counts = {"resumed": len(resumed), "re_imaged": len(re_imaged)}
            return {"event": "restored", **counts}
        case Notice():
            known = {n: v for n, v in asdict(event).items() if v is not None}
            return {"event": "notice", **known}
        case Disconnected(reason, retry_in_s):
            wait_ms = int(retry_in_s * 1000)
            return {"event": "disconnected", "reason": reason, "retry_in_ms": wait_ms}
        case HubError(_, reason, message):
            return {"event": "error", "reason": reason, "message": message}


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

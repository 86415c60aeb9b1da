"""Python client of the quote stream: `QuoteStream`, its events, and the bse-watch command.

async with QuoteStream("ws://127.0.0.1:8001/ws", symbols=["RELIANCE"]) as stream:
    async for event in stream:
        ...
"""

from bse_client.answers import (
    HubError,
    Identity,
    Limits,
    Rejection,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.backoff import Backoff
from bse_client.errors import (
    BseClientError,
    CommandRefused,
    CommandTimedOut,
    MalformedMessage,
    NotConnected,
    StreamClosed,
    StreamRefused,
    TakenOver,
    Unauthorized,
)
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
from bse_client.fields import Mode, Quality
from bse_client.messages import Feed, Heartbeat, LostChanges, MarketSession, Notice
from bse_client.quote import Level, Quote
from bse_client.stream import QuoteStream


__all__ = [
    "Backoff",
    "BseClientError",
    "CommandRefused",
    "CommandTimedOut",
    "Connected",
    "DigestMismatch",
    "Disconnected",
    "Event",
    "Feed",
    "Gap",
    "Heartbeat",
    "HubError",
    "Identity",
    "Level",
    "Limits",
    "LostChanges",
    "MalformedMessage",
    "MarketSession",
    "Mode",
    "NotConnected",
    "Notice",
    "Quality",
    "QualityChanged",
    "Quote",
    "QuoteChanged",
    "QuoteStream",
    "Rejection",
    "Restored",
    "StreamClosed",
    "StreamRefused",
    "Subscribed",
    "Subscription",
    "SubscriptionChanged",
    "TakenOver",
    "Unauthorized",
    "Unsubscribed",
]

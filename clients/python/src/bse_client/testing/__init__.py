"""Doubles for tests of programs that use this package: a scripted hub, and time in your hand."""

from bse_client.testing.builders import (
    heartbeat,
    image,
    resumed,
    subscribed,
    update,
    welcome,
)
from bse_client.testing.manual_timing import ManualTiming
from bse_client.testing.scripted_hub import HubSide, ScriptedHub


__all__ = [
    "HubSide",
    "ManualTiming",
    "ScriptedHub",
    "heartbeat",
    "image",
    "resumed",
    "subscribed",
    "update",
    "welcome",
]

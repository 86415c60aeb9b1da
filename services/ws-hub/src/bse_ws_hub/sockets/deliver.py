"""Frames to sockets: the hub's hottest loop."""

from collections.abc import Iterable
from typing import NamedTuple

from bse_ws_hub.hub.rows import Delivery


class Delivered(NamedTuple):
    """What was handed to sockets, all receivers added up."""

    frames: int
    quotes: int
    bytes: int


def deliver(deliveries: Iterable[Delivery]) -> Delivered:
    """Send all of it by the fast ways. What a socket does not take at once is left to its sure way."""
    frames = quotes = sent_bytes = number = 0
    for (sessions, sends), wire, rows in deliveries:
        size, count = len(wire), len(sends)
        frames += count
        quotes += rows * count
        sent_bytes += size * count
        left = enumerate(sends)
        while True:
            try:
                for number, send in left:
                    if (taken := send(wire)) != size:
                        sessions[number].outlet.write(wire[taken:])
            except OSError:  # nothing was taken; the transport finds out why
                sessions[number].outlet.write(wire)
            else:
                break
    return Delivered(frames, quotes, sent_bytes)

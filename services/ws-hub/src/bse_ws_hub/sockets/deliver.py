"""One frame to many sockets: the hub's hottest loop."""

from itertools import islice

from bse_ws_hub.hub.hub import WayOut
from bse_ws_hub.hub.rows import Receivers


def deliver(wire: bytes, to: Receivers) -> None:
    """Send it by the fast ways. What a socket does not take at once is left to its sure way."""
    size, number = len(wire), 0
    left = enumerate(to.sends)
    while True:
        try:
            for number, send in left:
                if (taken := send(wire)) != size:
                    _outlet(to, number).write(wire[taken:])
        except OSError:  # nothing was taken; the transport finds out why
            _outlet(to, number).write(wire)
        else:
            return


def _outlet(to: Receivers, number: int) -> WayOut:
    return next(islice(to.sessions, number, None)).outlet

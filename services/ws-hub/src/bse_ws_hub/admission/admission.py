"""What the hub remembers of a stream that was let in."""

from dataclasses import dataclass

from bse_shared.redis_edge.stream_leases import SessionName
from bse_ws_hub.admission.identity import Identity


@dataclass(eq=False, slots=True)
class Admission:
    """A stream that was let in.

    `client_id` is its own; `unclaimed` was named, and may become its own once it proves who it is. `counted` is the
    identity that it is counted for.
    """

    stream: str
    address: str
    identity: Identity
    unclaimed: str = ""
    session_name: str = ""
    client_id: str = ""
    counted: Identity | None = None
    session: SessionName | None = None
    taken_over: bool = False
    left: bool = False

"""The writer's side of one shard in one term (epoch): turns what a source reported into the next frame.

Pure. `plan` decides, the owner commits the plan to the store, `committed` makes it the new state. A plan
whose commit failed or is in doubt must be followed by a new term: only the store knows what it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bse_shared.quotes.delta import apply, diff_seen
from bse_shared.quotes.frame import (
    NO_IMAGE,
    Change,
    Confirmation,
    Confirmed,
    Frame,
    Image,
    Snapshot,
)
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote import Value


Seen = Mapping[int, Mapping[int, Value]]
"""What a source reported: scrip code to the fields it gave, by field number."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A frame to publish, and the images and confirmations to store with it.

    `kept_alive` are the scrips that were confirmed without a change.
    """

    frame: Frame
    images: dict[int, Image]
    confirmed: Confirmed
    kept_alive: tuple[int, ...]


class ShardWriter:
    """Holds what the store holds of one shard, from the moment that the lease was taken."""

    def __init__(self, term: Snapshot):
        """`term` is the store's snapshot at the new epoch, sequence 0, as read after taking the lease."""
        self.shard = term.shard
        self.position = term.position
        self.images = dict(term.images)
        self.confirmed = term.confirmed

    def plan_list(self, seen: Seen, received_at_ms: int) -> Plan:
        """The plan for an answer that lists the whole shard; scrips it lacks stay unconfirmed."""
        absent = tuple(code for code in self.images if code not in seen)
        return self._plan(seen, Confirmation(received_at_ms, True, absent))

    def plan_batch(self, seen: Seen, received_at_ms: int) -> Plan:
        """The plan for an answer that speaks only of the scrips in it."""
        return self._plan(seen, Confirmation(received_at_ms, False, tuple(seen)))

    def committed(self, plan: Plan) -> None:
        """The store took the plan."""
        self.images.update(plan.images)
        self.position = plan.frame.position
        self.confirmed = plan.confirmed

    def _plan(self, seen: Seen, confirmation: Confirmation) -> Plan:
        position = Position(self.position.epoch, self.position.sequence + 1)
        changes = []
        images = {}
        for code, fields in seen.items():
            held = self.images.get(code, NO_IMAGE)
            delta = diff_seen(held.quote, fields)
            if delta or held is NO_IMAGE:
                changes.append(Change(code, held.position, delta))
                images[code] = Image(
                    position, confirmation.at_ms, apply(held.quote, delta)
                )
        frame = Frame(
            self.shard, position, confirmation.at_ms, confirmation, tuple(changes)
        )
        kept_alive = tuple(code for code in seen if code not in images)
        return Plan(frame, images, self.confirmed.after(confirmation), kept_alive)

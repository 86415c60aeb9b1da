"""The writer's side of one shard in one term (epoch): turns what a source reported into the next frame.

Pure. `plan` decides, the owner commits the plan to the store, `committed` makes it the new state. A plan
whose commit failed or is in doubt must be followed by a new term: only the store knows what it holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bse_shared.quotes.delta import change_seen
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


_made: Callable[[Any, tuple[Any, ...]], Any] = tuple.__new__
"""Makes a named tuple without its own constructor, which costs as much again: 4,300 of each in a cycle."""

Seen = Mapping[int, Mapping[int, Value]]
"""What a source reported: scrip code to the fields it gave, by field number.

Fields are never changed once they were handed over: a source that says the same again may hand over the same
object, and the writer need not look into it.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A frame to publish, and the images and confirmations to store with it.

    `kept_alive` are the scrips that were confirmed without a change.
    """

    frame: Frame
    images: dict[int, Image]
    confirmed: Confirmed
    kept_alive: tuple[int, ...]
    seen: Seen


class ShardWriter:
    """Holds what the store holds of one shard, from the moment that the lease was taken."""

    def __init__(self, term: Snapshot):
        """`term` is the store's snapshot at the new epoch, sequence 0, as read after taking the lease."""
        self.shard = term.shard
        self.position = term.position
        self.images = dict(term.images)
        self.confirmed = term.confirmed
        self.taken: dict[int, Mapping[int, Value]] = {}
        """The fields that each image took in last: the very same object, handed over again, changes nothing."""

    def plan_list(self, seen: Seen, received_at_ms: int) -> Plan:
        """The plan for an answer that lists the whole shard; scrips it lacks stay unconfirmed."""
        absent = tuple(code for code in self.images if code not in seen)
        return self._plan(seen, Confirmation(received_at_ms, True, absent))

    def plan_batch(self, seen: Seen, received_at_ms: int) -> Plan:
        """The plan for an answer that speaks only of the scrips in it."""
        return self._plan(seen, Confirmation(received_at_ms, False, tuple(seen)))

    def plan_details(self, seen: Seen, received_at_ms: int) -> Plan:
        """The plan for an answer that tells of known scrips something beside their price: it confirms none."""
        known = {code: seen[code] for code in seen if code in self.images}
        return self._plan(known, Confirmation(received_at_ms, False, ()))

    def committed(self, plan: Plan) -> None:
        """The store took the plan."""
        self.images.update(plan.images)
        self.taken.update(plan.seen)
        self.position = plan.frame.position
        self.confirmed = plan.confirmed

    def _plan(self, seen: Seen, confirmation: Confirmation) -> Plan:
        position = Position(self.position.epoch, self.position.sequence + 1)
        changes: list[Change] = []
        images: dict[int, Image] = {}
        kept_alive: list[int] = []
        held_images, taken, at_ms = self.images, self.taken, confirmation.at_ms
        for code, fields in seen.items():
            if taken.get(code) is fields:
                kept_alive.append(code)
                continue
            held = held_images.get(code, NO_IMAGE)
            previous, _, old = held
            delta, quote = change_seen(old, fields)
            if delta or held is NO_IMAGE:
                changes.append(_made(Change, (code, previous, delta)))
                images[code] = _made(Image, (position, at_ms, quote))
            else:
                kept_alive.append(code)
        frame = Frame(self.shard, position, at_ms, confirmation, tuple(changes))
        return Plan(
            frame, images, self.confirmed.after(confirmation), tuple(kept_alive), seen
        )

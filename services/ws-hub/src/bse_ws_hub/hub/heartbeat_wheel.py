"""Whose heartbeat is due when: a wheel of 20 ms slots, so that a tick looks only at those who are due."""

from typing import Generic, TypeVar


SLOT_MS = 20
SLOTS = 256
"""Somewhat more than the longest interval."""

Member = TypeVar("Member")


class HeartbeatWheel(Generic[Member]):
    """Every member stands in one slot."""

    def __init__(self) -> None:
        self._slots: list[dict[Member, None]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Member, int] = {}
        self._now = 0

    @staticmethod
    def slots_of(interval_ms: int) -> int:
        """An interval in slots."""
        return max(1, min(SLOTS - 1, interval_ms // SLOT_MS))

    def put(self, member: Member, slots_ahead: int) -> None:
        """Its next heartbeat is due in so many slots."""
        self.remove(member)
        slot = self._slot_of[member] = (self._now + slots_ahead) % SLOTS
        self._slots[slot][member] = None

    def remove(self, member: Member) -> None:
        """It is gone."""
        slot = self._slot_of.pop(member, None)
        if slot is not None:
            del self._slots[slot][member]

    def turn(self, slots: int) -> list[Member]:
        """Time went on by so many slots; who is due. Each is to be put again."""
        due: list[Member] = []
        for _ in range(min(slots, SLOTS)):
            self._now = (self._now + 1) % SLOTS
            taken, self._slots[self._now] = self._slots[self._now], {}
            due += taken
        for member in due:
            del self._slot_of[member]
        return due

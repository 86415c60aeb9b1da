"""Which faults are armed: each lives for some uses, some seconds, or until removed."""

import random

import msgspec

from bse_exchange_sim.faults.kinds import FaultRequest


MAX_FAULTS = 100


class Fault(msgspec.Struct):
    """An armed fault; `until_s` is on the caller's clock."""

    id: int
    request: FaultRequest
    until_s: float | None
    used: int = 0

    def is_over(self, now_s: float) -> bool:
        """Tell whether its uses or its time have run out."""
        times = self.request.times
        if times is not None and self.used >= times:
            return True
        return self.until_s is not None and now_s >= self.until_s


class TooManyFaultsError(RuntimeError):
    """The book is full."""


class FaultBook:
    """The armed faults, oldest first; the oldest that fits a request wins."""

    def __init__(self, rng: random.Random) -> None:
        """Start empty; `rng` decides for faults with a rate below 1."""
        self._rng = rng
        self._faults: dict[int, Fault] = {}
        self._last_id = 0

    def arm(self, request: FaultRequest, now_s: float) -> Fault:
        """Add a fault that starts now."""
        self._forget_over(now_s)
        if len(self._faults) >= MAX_FAULTS:
            raise TooManyFaultsError(f"{MAX_FAULTS} faults are armed already")
        self._last_id += 1
        until = None if request.seconds is None else now_s + request.seconds
        fault = Fault(self._last_id, request, until)
        self._faults[fault.id] = fault
        return fault

    def strike(self, path: str, now_s: float, query: str = "") -> Fault | None:
        """Return the fault that hits a request to this path with this (decoded) query, and count its use."""
        self._forget_over(now_s)
        for fault in self._faults.values():
            request = fault.request
            if request.path.lower() not in path.lower():
                continue
            if request.query.lower() not in query.lower():
                continue
            if request.rate < 1 and self._rng.random() >= request.rate:
                continue
            fault.used += 1
            return fault
        return None

    def armed(self, now_s: float) -> list[Fault]:
        """Return the faults still armed."""
        self._forget_over(now_s)
        return list(self._faults.values())

    def remove(self, fault_id: int) -> bool:
        """Disarm one fault; tell whether it was there."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> int:
        """Disarm all faults; return how many there were."""
        number = len(self._faults)
        self._faults.clear()
        return number

    def _forget_over(self, now_s: float) -> None:
        over = [key for key, each in self._faults.items() if each.is_over(now_s)]
        for key in over:
            del self._faults[key]

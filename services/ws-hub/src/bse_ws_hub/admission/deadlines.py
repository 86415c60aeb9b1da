"""What falls due when, by name, at most once each. Pure."""

import heapq


class Deadlines:
    """A heap in which what was changed or dropped is passed over when its time comes."""

    def __init__(self) -> None:
        self._at_ms: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._at_ms)

    def set(self, name: str, at_ms: float) -> None:
        """The name falls due then, and not when it was set to before."""
        self._at_ms[name] = at_ms
        heapq.heappush(self._heap, (at_ms, name))
        if len(self._heap) > 2 * len(self._at_ms) + 64:
            self._heap = [(at, name) for name, at in self._at_ms.items()]
            heapq.heapify(self._heap)

    def drop(self, name: str) -> None:
        """The name falls due no more."""
        self._at_ms.pop(name, None)

    def due(self, now_ms: float) -> list[str]:
        """What has fallen due, the earliest first; it is forgotten."""
        found = []
        while self._heap and self._heap[0][0] <= now_ms:
            at_ms, name = heapq.heappop(self._heap)
            if self._at_ms.get(name) == at_ms:
                del self._at_ms[name]
                found.append(name)
        return found

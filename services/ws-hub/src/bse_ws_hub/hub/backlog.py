"""What is owed to a receiver that does not get every tick: scrips that changed, and the position it has of each.

Bounded by construction: one position a scrip, however long it waits. Used by a client that reads slowly, by a
group that asked for fewer updates, and by a client that came back.
"""

from dataclasses import dataclass, field

from bse_shared.quotes.position import Position


@dataclass(slots=True)
class Backlog:
    """`held`: the position that the receiver has, by scrip; `pending`: scrips that changed since, and whether that was
    while it was here: what changed before it came back was not sent late.

    `waits_until_ms`: for scrips of which it knows more than we do. `unnumbered`: it has all up to `held`, but may know
    that by a lower sequence. `ahead`: the position it has is later than what we know of its fields.
    """

    held: dict[int, Position] = field(default_factory=dict)
    pending: dict[int, bool] = field(default_factory=dict)
    requalified: set[int] = field(default_factory=set)
    next_ms: dict[int, float] = field(default_factory=dict)
    waits_until_ms: dict[int, float] = field(default_factory=dict)
    unnumbered: set[int] = field(default_factory=set)
    ahead: dict[int, Position] = field(default_factory=dict)
    conflated: int = 0

    def miss(self, code: int, *, merged: bool) -> None:
        """The scrip changed and is not sent now. `merged`: with what is pending it will be one update."""
        if merged and code in self.pending:
            self.conflated += 1
        self.pending[code] = True

    def imaged(self, code: int, position: Position) -> None:
        """The receiver was sent an image. What it had before is covered by it."""
        self.held[code] = position
        self.pending.pop(code, None)

    def keep_only(self, codes: set[int]) -> None:
        """Forget scrips that are no longer wanted."""
        for gone in self.held.keys() - codes:
            del self.held[gone]
            self.next_ms.pop(gone, None)
        for gone in self.pending.keys() - codes:
            del self.pending[gone]
        self.requalified &= codes

    def due(self, now_ms: float) -> list[int]:
        """The pending scrips whose own interval has passed."""
        return [c for c in self.pending if self.next_ms.get(c, 0.0) <= now_ms]

"""How many commands a client may send."""

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """A client's allowance of commands: a token bucket."""

    per_s: float
    tokens: float
    at_ms: float

    def spend(self, now_ms: float) -> bool:
        """Whether one more command is allowed now."""
        earned = (now_ms - self.at_ms) * self.per_s / 1000
        self.tokens = min(self.per_s * 2, self.tokens + earned)
        self.at_ms = now_ms
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

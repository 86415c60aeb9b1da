"""For which scrips an image, or a word on the quality, is awaited, and when to ask for it again. Pure."""

from collections.abc import Container, Iterable


ASK_AGAIN_MS = 3_000
"""How long to wait before asking for an image (again)."""


class AwaitedImages:
    """Scrips in doubt, by the time when the hub was asked."""

    def __init__(self) -> None:
        self._asked_ms: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self._asked_ms)

    def asked(self, codes: Iterable[int], now_ms: float) -> None:
        """The hub is asked for these now."""
        self._asked_ms.update(dict.fromkeys(codes, now_ms))

    def came(self, code: int) -> None:
        """It is in doubt no more."""
        self._asked_ms.pop(code, None)

    def keep_only(self, known: Container[int]) -> None:
        """Forget scrips that are no longer in the set."""
        self._asked_ms = {c: at for c, at in self._asked_ms.items() if c in known}

    def clear(self) -> None:
        """The connection is gone: nothing is answered any more."""
        self._asked_ms.clear()

    def ask_again(self, now_ms: float) -> list[int]:
        """Those that have not come in time; they count as asked for now."""
        overdue = now_ms - ASK_AGAIN_MS
        again = [code for code, asked in self._asked_ms.items() if asked <= overdue]
        self.asked(again, now_ms)
        return again

"""The newest quotes as a live mapping."""

from collections.abc import Callable, Iterator, Mapping

from bse_client.follower import Follower
from bse_client.quote import Quote


class Quotes(Mapping[str | int, Quote]):
    """Quotes by symbol or scrip code, in any case. Iterates over the symbols.

    Each look-up gives what holds at that moment: quality and age are never those of a past one.
    """

    def __init__(self, follower: Follower, now_ms: Callable[[], float]):
        self._follower = follower
        self._now_ms = now_ms

    def __getitem__(self, name: str | int) -> Quote:
        """The quote of a scrip of the set; KeyError without an image of it."""
        code = self._follower.subscriptions.code_of(name)
        quote = None if code is None else self._follower.quote(code, self._now_ms())
        if quote is None:
            raise KeyError(name)
        return quote

    def __iter__(self) -> Iterator[str]:
        """The symbols of which there is a quote, in order of the first image."""
        table = self._follower.table
        return iter([table.symbols[code] for code in table.held])

    def __len__(self) -> int:
        """The number of quotes."""
        return len(self._follower.table.held)

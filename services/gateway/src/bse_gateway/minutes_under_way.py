"""The minutes that the store has not yet: under way, or over a moment ago. Out of the changes of the table. Pure.

The fetcher stores a minute when late trades can't come any more, 15 to 20 s after its end; a chart wants it at once.
What is told here began when this process did, and is flagged so; the stored minute takes its place.
"""

from bse_shared.quotes.candles import Candle, CandleMaker
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quote_table import GONE, Changes, QuoteTable


LOOK_INTERVAL_S = 2.0


class MinutesUnderWay:
    """The newest minutes of every scrip. `take` is to be told of every change of the table.

    `look` is a supervised loop: answers that change nothing are told by nobody, and are no pause of the feed.
    """

    def __init__(self, table: QuoteTable):
        self._table = table
        # One a shard: a shard is confirmed as a whole, and by itself.
        self._makers = [CandleMaker() for _ in range(table.shards)]
        self._all_at_ms = [0] * table.shards
        self._ended: dict[int, Candle] = {}

    def take(self, changes: Changes) -> None:
        """These scrips changed in the table."""
        told = {shard_of(code, len(self._makers)) for code in changes}
        for shard in told:
            self._watched(shard, changes)
        images = self._table.images
        for code, mask in changes.items():
            if mask != GONE:
                maker = self._makers[shard_of(code, len(self._makers))]
                maker.take(code, images[code].quote)
        for shard in told:
            self._ended.update(self._makers[shard].ended())

    async def look(self) -> None:
        """See which shards were confirmed."""
        for shard in range(len(self._makers)):
            self._watched(shard, {})

    def of(self, code: int) -> list[Candle]:
        """The minute that was ended last and the one under way, as far as they were seen here."""
        maker = self._makers[shard_of(code, len(self._makers))]
        newest = self._ended.get(code), maker.under_way(code)
        return [candle for candle in newest if candle is not None]

    def _watched(self, shard: int, changes: Changes) -> None:
        confirmed, maker = self._table.confirmed(shard), self._makers[shard]
        if confirmed.all_at_ms > self._all_at_ms[shard]:
            self._all_at_ms[shard] = confirmed.all_at_ms
            maker.watched(confirmed.all_at_ms)
        if confirmed.apart:  # a source that is asked for a few scrips at a time
            for code in changes.keys() & confirmed.apart.keys():
                maker.watched(confirmed.apart[code], (code,))

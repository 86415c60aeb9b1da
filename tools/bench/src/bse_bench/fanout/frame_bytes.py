"""How many bytes a symbol update takes, over a simulated trading day, against the gateway's whole JSON quote."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bse_bench.fanout.plan import Plan
from bse_bench.report import Row, at_most
from bse_exchange_sim.answers.market_list import MarketList
from bse_exchange_sim.exchange import Exchange
from bse_exchange_sim.load import load_universe
from bse_exchange_sim.market_clock import ReplayClock
from bse_exchange_sim.settings import Settings
from bse_fetcher.sources.bse.market_list import read_market
from bse_gateway.lookup import QuoteView, Trust
from bse_gateway.rest.quote_json import SettledQuotes, trust_json
from bse_shared.quotes.delta import mask_of
from bse_shared.quotes.frame import NO_IMAGE, Change, Confirmed, Image, Snapshot
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.quotes.position import Position
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.shard_writer import Plan as CommitPlan
from bse_shared.quotes.shard_writer import ShardWriter
from bse_ws_hub.encodings.msgpack_codec import MsgpackCodec
from bse_ws_hub.encodings.wire import binary_frame, deflated_binary_frame


SCRIPS = 50
POLL = timedelta(seconds=3)
OPENS = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)
EPOCH = 1_795_334_400_000
QUERY = {"ordcol": "TT", "strtype": "AllMkt", "strfilter": "All"}
PLAIN_PERCENT_MAX = 12
DEFLATED_PERCENT_MAX = 7


class Tally:
    """The sums of the day."""

    def __init__(self) -> None:
        self.updates = self.json = self.plain = self.deflated = self.frames = 0

    def add(self, payload: bytes, quotes: list[bytes]) -> None:
        """One frame, and the whole quotes that a client would have polled for the same news."""
        self.frames += 1
        self.updates += len(quotes)
        self.json += sum(map(len, quotes))
        self.plain += len(binary_frame(payload))
        self.deflated += len(deflated_binary_frame(payload))


def frame_bytes(plan: Plan) -> list[Row]:
    """The rows."""
    tally = _play(plan.day_hours)
    per = 100 / tally.json
    return [
        at_most(
            "bytes per symbol update, MessagePack, of the JSON quote",
            tally.plain * per,
            "%",
            PLAIN_PERCENT_MAX,
        ),
        at_most(
            "bytes per symbol update, with deflate, of the JSON quote",
            tally.deflated * per,
            "%",
            DEFLATED_PERCENT_MAX,
        ),
        Row("  the gateway's JSON quote", tally.json / tally.updates, "bytes"),
        Row(
            "  MessagePack, with its share of the frame",
            tally.plain / tally.updates,
            "bytes",
        ),
        Row("  the same with deflate", tally.deflated / tally.updates, "bytes"),
        Row(
            f"  updates in a frame ({SCRIPS} scrips)", tally.updates / tally.frames, ""
        ),
    ]


def _play(hours: float) -> Tally:
    """Poll the exchange as the fetcher does, encode as the hub does."""
    tally, codec, settled = Tally(), MsgpackCodec(), SettledQuotes()
    writer = ShardWriter(Snapshot(0, Position(EPOCH, 0), Confirmed(), {}))
    view_mask = MODE_MASKS[Mode.QUOTE]
    instruments = _instruments()
    for now, body in _bodies(hours):
        now_ms = int(now.timestamp() * 1000)
        seen = read_market(body).seen
        plan = writer.plan_list(seen, now_ms)
        changes = _news(writer, plan, view_mask)
        writer.committed(plan)
        chunks = [
            codec.update_chunk(
                change.code,
                instruments[change.code].symbol,
                writer.images[change.code].quote,
                mask_of(change.delta) & view_mask,
                change.previous.sequence,
                plan.frame.position.sequence,
            )
            for change in changes
        ]
        if chunks:
            quotes = [
                _whole(settled, instruments[c.code], writer.images[c.code])
                for c in changes
            ]
            framed = codec.framer("update", now_ms + 40, now_ms, now_ms + 1)
            tally.add(framed(chunks, len(chunks)), quotes)
    return tally


def _news(writer: ShardWriter, plan: CommitPlan, view_mask: int) -> list[Change]:
    """Changes that a client in mode `quote` is sent as updates: not the first image."""
    return [
        change
        for change in plan.frame.changes
        if writer.images.get(change.code, NO_IMAGE) is not NO_IMAGE
        and mask_of(change.delta) & view_mask
    ]


def _bodies(hours: float) -> Iterator[tuple[datetime, bytes]]:
    listings = load_universe(Settings()).listings[:SCRIPS]
    exchange = Exchange(listings, ReplayClock(OPENS, OPENS.date()), OPENS, tick=POLL)
    answers = MarketList()
    for poll in range(int(timedelta(hours=hours) / POLL)):
        now = OPENS + poll * POLL
        yield now, answers.encode(exchange.look(now), QUERY)


def _instruments() -> dict[int, Instrument]:
    scrips = [each.scrip for each in load_universe(Settings()).listings[:SCRIPS]]
    return {
        s.code: Instrument(s.code, s.symbol, s.isin, s.name, s.group) for s in scrips
    }


def _whole(settled: SettledQuotes, instrument: Instrument, image: Image) -> bytes:
    trust = Trust(Quality.LIVE, image.changed_at_ms, 40)
    view = QuoteView(instrument, image, trust)
    return settled.of(view).text + trust_json(trust)

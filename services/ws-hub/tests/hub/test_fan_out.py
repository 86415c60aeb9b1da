"""The law of the fan-out: whatever clients do, after a tick each one that reads holds what the table holds."""

import msgpack
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bse_shared.quotes.frame import Confirmed, Snapshot
from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.quotes.position import Position
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote import FIELDS, NUMBER
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.testing.builders import RELIANCE, TCS, a_master, a_quote, seen
from bse_ws_hub.encodings.json_codec import JsonCodec
from bse_ws_hub.encodings.msgpack_codec import QUALITIES, MsgpackCodec
from bse_ws_hub.hub.fan_out import FanOut, Now
from bse_ws_hub.hub.hub import Hub, Session


CODES = [500_001, 500_002, 500_003]
MASTER = InstrumentMaster([Instrument(code, f"S{code}") for code in CODES], 1)
QUALITY_NAMES = {number: quality for quality, number in QUALITIES.items()}


class FollowingClient:
    """A client that follows the protocol to the letter, and complains where the hub breaks it."""

    def __init__(self):
        self.held = {}
        self.quality = {}

    def take(self, payload):
        """One MessagePack message."""
        kind, *_, rows = msgpack.unpackb(payload, strict_map_key=False)
        for row in rows:
            if kind == 1:
                code, epoch, sequence, _, quality, fields = row
                self.held[code] = (epoch, sequence, fields)
                self.quality[code] = QUALITY_NAMES[quality]
            elif kind == 2:
                self._update(*row)
            else:
                self.quality[row[0]] = QUALITY_NAMES[row[1]]

    def _update(self, code, since, to, fields):
        epoch, sequence, held = self.held[code]
        assert since <= sequence, "a hole that nothing explains"
        if to > sequence:
            self.held[code] = (epoch, to, {**held, **fields})


class FanOutMachine(RuleBasedStateMachine):
    """Clients come, go, change their minds and stop reading while the market moves."""

    @initialize()
    def start(self):
        """An empty market in one shard, and nobody there."""
        self.epoch = 1
        self.writer = ShardWriter(Snapshot(0, Position(1, 0), Confirmed(), {}))
        self.table = QuoteTable(1)
        self.table.load(Snapshot(0, Position(1, 0), Confirmed(), {}))
        self.hub = Hub(symbols_max=10)
        self.fan_out = FanOut(self.hub, self.table)
        self.clients = {}
        self.clock = 1000

    @rule(
        code=st.sampled_from(CODES),
        field=st.sampled_from(FIELDS),
        value=st.integers(1, 5),
    )
    def trade(self, code, field, value):
        """One field of a scrip changes."""
        self.clock += 1
        plan = self.writer.plan_batch({code: {field.number: value}}, self.clock)
        self.writer.committed(plan)
        self.fan_out.changed(self.table.receive(plan.frame))

    @rule(code=st.sampled_from(CODES), value=st.integers(1, 5), lost=st.booleans())
    def new_epoch(self, code, value, lost):
        """Another fetcher takes over; the table reads the shard again. Perhaps the store had lost writes."""
        self.epoch += 10
        images = {} if lost else dict(self.writer.images)
        self.writer = ShardWriter(
            Snapshot(0, Position(self.epoch, 0), self.writer.confirmed, images)
        )
        plan = self.writer.plan_batch({code: {NUMBER["last_paise"]: value}}, self.clock)
        self.writer.committed(plan)
        writer = self.writer
        self.fan_out.changed(
            self.table.load(
                Snapshot(0, writer.position, writer.confirmed, dict(writer.images))
            )
        )

    @rule(
        number=st.integers(0, 3),
        code=st.sampled_from(CODES),
        mode=st.sampled_from(Mode),
    )
    def subscribe(self, number, code, mode):
        """A client, perhaps a new one, wants a scrip."""
        session, _ = self._client(number)
        assert [] == self.hub.subscribe(session, [str(code)], mode, MASTER)

    @rule(number=st.integers(0, 3), code=st.sampled_from(CODES))
    def unsubscribe(self, number, code):
        """A client no longer wants a scrip, if it did."""
        session, client = self._client(number)
        wanted = code in session.wants
        rejected = self.hub.unsubscribe(session, [str(code)], MASTER)
        assert wanted != bool(rejected)
        client.held.pop(code, None)

    @rule(number=st.integers(0, 3))
    def leave(self, number):
        """A client goes away."""
        session, _ = self.clients.pop(number, (None, None))
        if session:
            self.hub.leave(session)

    @rule(number=st.integers(0, 3))
    def stop_reading(self, number):
        """A client's buffer is full."""
        session, _ = self._client(number)
        if not session.lagging:
            self.hub.lag(session)

    @rule(reading=st.sets(st.integers(0, 3)))
    def tick(self, reading):
        """The flush: lagging clients in `reading` read again. All who read hold what the table holds."""
        now = Now(self.clock, MASTER, True)
        ready = [s for n, (s, _) in self.clients.items() if n in reading and s.lagging]
        by_session = dict(self.clients.values())
        for delivery in self.fan_out.tick(now, ready):
            for session in delivery.sessions:
                by_session[session].take(delivery.payload)
        for session, client in self.clients.values():
            if not session.lagging:
                self._holds_what_the_table_holds(session, client)

    def _holds_what_the_table_holds(self, session, client):
        assert session.wants.keys() <= client.held.keys()
        for code, mode in session.wants.items():
            image = self.table.get(code)
            if image is None:
                continue
            epoch, sequence, fields = client.held[code]
            visible = {
                n: image.quote[n]
                for n in range(len(FIELDS))
                if MODE_MASKS[mode] >> n & 1
            }
            assert visible == fields
            assert Position(epoch, sequence) <= image.position

    def _client(self, number):
        if number not in self.clients:
            session = Session(str(number), MsgpackCodec(), None)
            self.hub.join(session)
            self.clients[number] = (session, FollowingClient())
        return self.clients[number]


TestFanOut = FanOutMachine.TestCase
TestFanOut.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def a_market():
    """A hub over a table that holds RELIANCE and TCS, confirmed at 1000 ms."""
    writer = ShardWriter(Snapshot(0, Position(1, 0), Confirmed(), {}))
    table = QuoteTable(1)
    table.load(Snapshot(0, Position(1, 0), Confirmed(), {}))
    hub = Hub(symbols_max=2)
    fan_out = FanOut(hub, table)
    plan = writer.plan_list(
        {RELIANCE.code: seen(a_quote()), TCS.code: seen(a_quote())}, 1000
    )
    writer.committed(plan)
    table.receive(plan.frame)
    return hub, fan_out, table, writer


def a_session(hub, codec, *symbols):
    """A client with a subscription."""
    session = Session(f"s{len(hub.sessions)}", codec, None)
    hub.join(session)
    hub.subscribe(session, symbols, Mode.QUOTE, a_master())
    return session


def test_clients_with_equal_wants_share_one_payload():
    """A thousand clients of one set cost one encoding."""
    hub, fan_out, table, writer = a_market()
    codec = JsonCodec()
    sessions = [a_session(hub, codec, "RELIANCE") for _ in range(1000)]
    fan_out.tick(Now(1001, a_master(), True))
    plan = writer.plan_batch({RELIANCE.code: seen(a_quote(1))}, 1002)
    fan_out.changed(table.receive(plan.frame))

    (delivery,) = fan_out.tick(Now(1003, a_master(), True))

    assert set(sessions) == set(delivery.sessions)
    assert 1 == hub.groups


def test_what_a_mode_does_not_show_is_not_sent():
    """An ltp client hears nothing of volume."""
    hub, fan_out, table, writer = a_market()
    session = Session("a", JsonCodec(), None)
    hub.join(session)
    hub.subscribe(session, ["TCS"], Mode.LTP, a_master())
    fan_out.tick(Now(1001, a_master(), True))
    plan = writer.plan_batch({TCS.code: {NUMBER["volume"]: 400_000}}, 1002)
    fan_out.changed(table.receive(plan.frame))

    assert [] == fan_out.tick(Now(1003, a_master(), True))


def test_old_prices_are_announced_as_stale_once_and_live_again():
    """Seven seconds after the last confirmation the watchers are told, and told again when it is back."""
    hub, fan_out, table, writer = a_market()
    a_session(hub, MsgpackCodec(), "RELIANCE")
    client = FollowingClient()
    for delivery in fan_out.tick(Now(1001, a_master(), True)):
        client.take(delivery.payload)
    assert Quality.LIVE == client.quality[RELIANCE.code]
    assert [] == fan_out.qualities(Now(8000, a_master(), True))

    (delivery,) = fan_out.qualities(Now(8001, a_master(), True))
    client.take(delivery.payload)
    assert Quality.STALE == client.quality[RELIANCE.code]
    assert [] == fan_out.qualities(Now(9000, a_master(), True))

    plan = writer.plan_list({RELIANCE.code: seen(a_quote())}, 9001)
    table.receive(plan.frame)
    (delivery,) = fan_out.qualities(Now(9002, a_master(), True))
    client.take(delivery.payload)
    assert Quality.LIVE == client.quality[RELIANCE.code]


def test_missed_updates_are_merged_and_counted():
    """A client that lags gets the newest value once, and is told how much was merged."""
    hub, fan_out, table, writer = a_market()
    session = a_session(hub, MsgpackCodec(), "RELIANCE")
    client = FollowingClient()
    for delivery in fan_out.tick(Now(1001, a_master(), True)):
        client.take(delivery.payload)
    hub.lag(session)
    for paise in range(1, 6):
        plan = writer.plan_batch({RELIANCE.code: {0: paise}}, 1001 + paise)
        writer.committed(plan)
        fan_out.changed(table.receive(plan.frame))
        assert [] == fan_out.tick(Now(1001 + paise, a_master(), True))

    (delivery,) = fan_out.tick(Now(1010, a_master(), True), [session])
    client.take(delivery.payload)

    assert 5 == client.held[RELIANCE.code][2][0]
    assert 4 == session.conflated


def test_subscriptions_have_a_limit():
    """What is over the limit is rejected by name; the rest is taken."""
    hub, *_ = a_market()
    session = Session("a", JsonCodec(), None)
    hub.join(session)
    rejected = hub.subscribe(
        session, ["RELIANCE", "nope", "532540", "INFY"], Mode.LTP, a_master()
    )

    assert [("nope", "unknown_symbol"), ("INFY", "too_many_symbols")] == [
        (r.symbol, r.reason) for r in rejected
    ]
    assert {RELIANCE.code, TCS.code} == set(session.wants)

"""The law of the fan-out: whatever clients do, after a tick each one that reads holds what the table holds."""

from itertools import pairwise

import msgpack
import pytest
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
from bse_ws_hub.encodings.wire import as_it_is
from bse_ws_hub.hub.digest import term
from bse_ws_hub.hub.fan_out import FanOut
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.hub.now import Now
from bse_ws_hub.hub.rows import PORTION_BYTES
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.hub.wants import Want


PACKED = MsgpackCodec(wire=as_it_is)
CODES = [500_001, 500_002]
MASTER = InstrumentMaster([Instrument(code, f"S{code}") for code in CODES], 1)
QUOTE, LTP = Want(MODE_MASKS[Mode.QUOTE]), Want(MODE_MASKS[Mode.LTP])
QUALITY_NAMES = {number: quality for quality, number in QUALITIES.items()}


def shows(fields, mask):
    """Whether these are all the fields of the mask: only then may a client resume with it."""
    return set(fields) == {n for n in range(len(FIELDS)) if mask >> n & 1}


class FollowingClient:
    """A client that follows the protocol to the letter, and complains where the hub breaks it."""

    def __init__(self):
        self.held = {}
        self.quality = {}
        self.lost = set()
        self.shown = {}
        self.full = False
        self.on_taken = lambda: None
        self.way = 0
        self.send = self._way(0)

    def rewire(self):
        """Another way from now on; on the old one nothing may come any more."""
        self.way += 1
        self.send = self._way(self.way)

    def backlog(self):
        """See WayOut."""
        return float(self.full)

    def _way(self, way):
        def send(payload):
            assert way == self.way
            self.take(payload)
            self.on_taken()
            return len(payload)

        return send

    def take(self, payload):
        """One MessagePack message."""
        message = msgpack.unpackb(payload, strict_map_key=False)
        if isinstance(message, dict):
            assert "lost" == message["type"]
            self.lost |= {row["code"] for row in message["quotes"]}
            return
        kind, *_, rows = message
        for row in rows:
            if kind == 1:
                code, epoch, sequence, _, quality, fields = row
                self.held[code] = (epoch, sequence, fields)
                self.quality[code] = QUALITY_NAMES[quality]
                self.lost.discard(code)
                self.shown[code] = [fields]
            elif kind == 2:
                self._update(*row)
            else:
                self.quality[row[0]] = QUALITY_NAMES[row[1]]

    def _update(self, code, since, to, fields):
        epoch, sequence, held = self.held[code]
        assert since <= sequence, "a hole that nothing explains"
        if to > sequence:
            self.held[code] = (epoch, to, {**held, **fields})
            if code in self.lost:
                self.lost.discard(code)
                self.shown[code] = []
            self.shown[code].append({**held, **fields})

    def digest(self):
        """As the protocol defines it."""
        held = self.held.items()
        return sum(term(code, *state[:2]) for code, state in held) % 2**32


class FanOutMachine(RuleBasedStateMachine):
    """Clients come, go, change their minds and stop reading while the market moves."""

    portion_bytes = PORTION_BYTES

    @initialize()
    def start(self):
        """An empty market in one shard, and nobody there."""
        self.epoch = 1
        self.store_lost = False
        self.writer = ShardWriter(Snapshot(0, Position(1, 0), Confirmed(), {}))
        self.table = QuoteTable(1)
        self.table.load(Snapshot(0, Position(1, 0), Confirmed(), {}))
        self.hub = Hub()
        self.fan_out = FanOut(self.hub, self.table, 6, self.portion_bytes)
        self.clients = {}
        self.past = {code: [] for code in CODES}
        self.clock = 1000

    @rule(
        code=st.sampled_from(CODES),
        field=st.sampled_from([FIELDS[0], FIELDS[5]]),
        value=st.integers(1, 5),
    )
    def trade(self, code, field, value):
        """One field of a scrip changes."""
        self.clock += 1
        plan = self.writer.plan_batch({code: {field.number: value}}, self.clock)
        self.writer.committed(plan)
        self.fan_out.changed(self.table.receive(plan.frame))
        self._record(code)

    @rule(code=st.sampled_from(CODES), value=st.integers(1, 5), lost=st.booleans())
    def new_epoch(self, code, value, lost):
        """Another fetcher takes over; the table reads the shard again. Perhaps the store had lost writes."""
        self.epoch += 10
        self.store_lost |= lost
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
        for each in CODES:
            self._record(each)

    @rule(
        number=st.integers(0, 2),
        code=st.sampled_from(CODES),
        mask=st.sampled_from([MODE_MASKS[Mode.QUOTE], 1]),
        interval_ms=st.sampled_from([0, 3, "every"]),
    )
    def subscribe(self, number, code, mask, interval_ms):
        """A client, perhaps a new one, wants fields of a scrip: at all, or not too often, or each change."""
        session, _ = self._client(number)
        every = interval_ms == "every"
        want = Want(mask, 0 if every else interval_ms, every)
        assert [] == self.hub.subscribe(session, [str(code)], want, MASTER)

    @rule(number=st.integers(0, 2), other=st.integers(0, 2))
    def join(self, number, other):
        """A new client wants exactly what another one has: they share a group."""
        wanted, _ = self._client(other)
        if number in self.clients:
            return
        session, _ = self._client(number)
        self.hub.limit(session, wanted.interval_ms)
        for code, want in wanted.wants.items():
            assert [] == self.hub.subscribe(session, [str(code)], want, MASTER)

    @rule(number=st.integers(0, 2), interval_ms=st.sampled_from([0, 4]))
    def limit(self, number, interval_ms):
        """A client changes its limit on all updates."""
        session, _ = self._client(number)
        self.hub.limit(session, interval_ms)

    @rule(
        number=st.integers(0, 2),
        mask=st.sampled_from([MODE_MASKS[Mode.QUOTE], 1]),
        every=st.booleans(),
    )
    def come_back(self, number, mask, every):
        """A client lost its connection, and resumes with the positions that it had."""
        session, client = self.clients.get(number, (None, None))
        if session is None:
            return
        kept = {
            code: state
            for code, state in client.held.items()
            if code in session.wants and shows(state[2], mask)
        }
        self.hub.leave(session)
        del self.clients[number]
        session, client = self._client(number)
        client.held = kept
        client.shown = {code: [state[2]] for code, state in kept.items()}
        positions = [(code, Position(*state[:2])) for code, state in kept.items()]
        want = Want(mask, every=every)
        assert [] == self.hub.resume(session, positions, want, MASTER)

    @rule(number=st.integers(0, 2), code=st.sampled_from(CODES))
    def unsubscribe(self, number, code):
        """A client no longer wants a scrip, if it did."""
        session, client = self._client(number)
        wanted = code in session.wants
        rejected = self.hub.unsubscribe(session, [str(code)], MASTER)
        assert wanted != bool(rejected)
        client.held.pop(code, None)

    @rule(number=st.integers(0, 2))
    def leave(self, number):
        """A client goes away."""
        session, _ = self.clients.pop(number, (None, None))
        if session:
            self.hub.leave(session)

    @rule(number=st.integers(0, 2))
    def stop_reading(self, number):
        """A client's buffer is full."""
        session, _ = self._client(number)
        self.hub.set_apart(session)

    @rule(number=st.integers(0, 2))
    def fill(self, number):
        """A client's buffer is fuller than it may be before more than a portion is sent."""
        _, client = self._client(number)
        client.full = True

    @rule(number=st.integers(0, 2))
    def rewire(self, number):
        """A client's socket is filled, emptied or muted."""
        session, client = self._client(number)
        client.rewire()
        session.rewired()

    @rule(reading=st.sets(st.integers(0, 2)))
    def tick(self, reading):
        """The flush: lagging clients in `reading` read again. All who read hold what the table holds."""
        now = Now(self.clock, MASTER, True)
        for number in reading & self.clients.keys():
            self.clients[number][1].full = False
        ready = [s for n, (s, _) in self.clients.items() if n in reading and s.apart]
        for delivery in self.fan_out.tick(now, ready):
            deliver(delivery)
        for session, client in self.clients.values():
            self._holds_nothing_invented(session, client)
            self._missed_no_step(session, client)
            if session.in_step:
                self._holds_what_the_table_holds(session, client)
                assert self.store_lost or self.fan_out.digest(session) is not None
            assert self.fan_out.digest(session) in (None, client.digest())

    @rule()
    def calm(self):
        """Time passes, everybody reads: limited or not, all hold what the table holds."""
        for _ in range(3):
            self.clock += 10
            self.tick({0, 1, 2})
        for session, client in self.clients.values():
            self._holds_what_the_table_holds(session, client)

    def _record(self, code):
        image = self.table.get(code)
        if image is not None and image.quote not in self.past[code][-1:]:
            self.past[code].append(image.quote)

    def _missed_no_step(self, session, client):
        """Who wants each change was shown a piece of the past without a gap, since it was last told of one."""
        for code, want in session.wants.items():
            is_owed_image = code in session.images_due
            if not want.every or is_owed_image or code not in client.held:
                continue
            seen_by_it = []
            for quote in self.past[code]:
                visible = {
                    n: quote[n] for n in range(len(FIELDS)) if want.mask >> n & 1
                }
                if visible not in seen_by_it[-1:]:
                    seen_by_it.append(visible)
            shown = [
                fields
                for fields in client.shown[code]
                if any(v is not None for v in fields.values())
            ]
            starts = range(len(seen_by_it) - len(shown) + 1)
            assert not shown or any(
                shown == seen_by_it[at : at + len(shown)] for at in starts
            )

    def _holds_nothing_invented(self, session, client):
        for code in session.wants.keys() & client.held.keys():
            image = self.table.get(code)
            epoch, sequence, _ = client.held[code]
            if image is not None:
                assert Position(epoch, sequence) <= image.position

    def _holds_what_the_table_holds(self, session, client):
        assert session.wants.keys() <= client.held.keys()
        for code, want in session.wants.items():
            image = self.table.get(code)
            if image is None:
                continue
            epoch, sequence, fields = client.held[code]
            visible = {
                n: image.quote[n] for n in range(len(FIELDS)) if want.mask >> n & 1
            }
            assert visible == fields
            assert Position(epoch, sequence) <= image.position

    def _client(self, number):
        if number not in self.clients:
            client = FollowingClient()
            session = Session(str(number), PACKED, client)

            def fills():
                """Each frame may fill the socket: the next one has to go another way."""
                client.rewire()
                session.rewired()

            client.on_taken = fills
            self.hub.join(session)
            self.clients[number] = (session, client)
        return self.clients[number]


class PortionsMachine(FanOutMachine):
    """The same where every row is a portion: who is full after one goes his own way with the rest."""

    portion_bytes = 1


TestFanOut = FanOutMachine.TestCase
TestFanOut.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
TestPortions = PortionsMachine.TestCase
TestPortions.settings = TestFanOut.settings


def deliver(delivery):
    """As the flush does; the sessions are named in the order of their ways out."""
    (sessions, sends), wire, _ = delivery
    for session, send in zip(sessions, sends, strict=True):
        assert session.outlet.send is send
        assert len(wire) == send(wire)


def ticked(fan_out, now, ready=()):
    """A tick to its end."""
    return list(fan_out.tick(now, ready))


def a_market():
    """A hub over a table that holds RELIANCE and TCS, confirmed at 1000 ms."""
    writer = ShardWriter(Snapshot(0, Position(1, 0), Confirmed(), {}))
    table = QuoteTable(1)
    table.load(Snapshot(0, Position(1, 0), Confirmed(), {}))
    hub = Hub()
    fan_out = FanOut(hub, table)
    plan = writer.plan_list(
        {RELIANCE.code: seen(a_quote()), TCS.code: seen(a_quote())}, 1000
    )
    writer.committed(plan)
    fan_out.changed(table.receive(plan.frame))
    return hub, fan_out, table, writer


def a_session(hub, codec, *symbols):
    """A client with a subscription."""
    session = Session(f"s{len(hub.sessions)}", codec, FollowingClient(), symbols_max=2)
    hub.join(session)
    hub.subscribe(session, symbols, QUOTE, a_master())
    return session


def test_clients_with_equal_wants_share_one_payload():
    """A thousand clients of one set cost one encoding."""
    hub, fan_out, table, writer = a_market()
    codec = JsonCodec()
    sessions = [a_session(hub, codec, "RELIANCE") for _ in range(1000)]
    ticked(fan_out, Now(1001, a_master(), True))
    plan = writer.plan_batch({RELIANCE.code: seen(a_quote(1))}, 1002)
    fan_out.changed(table.receive(plan.frame))

    ((receivers, _, quotes),) = ticked(fan_out, Now(1003, a_master(), True))

    assert set(sessions) == set(receivers.sessions)
    assert 1 == quotes
    assert 1 == len(hub.groups)


def test_clients_of_different_scrips_get_each_his_own():
    """What changed for another one is neither in the frame nor in its count."""
    hub, fan_out, table, writer = a_market()
    both = [a_session(hub, PACKED, symbol) for symbol in ("RELIANCE", "TCS")]
    ticked(fan_out, Now(1001, a_master(), True))
    plan = writer.plan_batch(
        {code: seen(a_quote(1)) for code in (RELIANCE.code, TCS.code)}, 1002
    )
    fan_out.changed(table.receive(plan.frame))

    deliveries = ticked(fan_out, Now(1003, a_master(), True))
    for session in both:
        ((_, payload, quotes),) = [d for d in deliveries if session in d[0].sessions]
        rows = msgpack.unpackb(payload, strict_map_key=False)[3]
        assert [1, *session.wants] == [quotes, *(row[0] for row in rows)]


def test_who_wants_each_change_is_told_before_it_gets_some_merged():
    """Also in step: more changed within a tick than the history keeps."""
    hub, _, table, writer = a_market()
    fan_out = FanOut(hub, table, history_steps_max=3)
    client = FollowingClient()
    session = Session("a", PACKED, client)
    hub.join(session)
    hub.subscribe(session, ["RELIANCE"], Want(QUOTE.mask, every=True), a_master())
    ticked(fan_out, Now(1001, a_master(), True))

    def trade(paise):
        plan = writer.plan_batch({RELIANCE.code: {0: paise}}, 1000 + paise)
        writer.committed(plan)
        fan_out.changed(table.receive(plan.frame))

    trade(7)
    ticked(fan_out, Now(1001, a_master(), True))
    for paise in range(1, 7):
        trade(paise)
    payloads = [p for _, p, _ in ticked(fan_out, Now(1010, a_master(), True))]
    first, update = (msgpack.unpackb(p, strict_map_key=False) for p in payloads)

    assert ("lost", RELIANCE.code) == (first["type"], first["quotes"][0]["code"])
    assert {0: 6} == update[3][0][3]


def test_what_a_mode_does_not_show_is_not_sent():
    """An ltp client hears nothing of volume."""
    hub, fan_out, table, writer = a_market()
    session = Session("a", JsonCodec(), FollowingClient())
    hub.join(session)
    hub.subscribe(session, ["TCS"], LTP, a_master())
    ticked(fan_out, Now(1001, a_master(), True))
    plan = writer.plan_batch({TCS.code: {NUMBER["volume"]: 400_000}}, 1002)
    fan_out.changed(table.receive(plan.frame))

    assert [] == ticked(fan_out, Now(1003, a_master(), True))


def test_old_prices_are_announced_as_stale_once_and_live_again():
    """Seven seconds after the last confirmation the watchers are told, and told again when it is back."""
    hub, fan_out, table, writer = a_market()
    a_session(hub, PACKED, "RELIANCE")
    client = FollowingClient()
    for _, payload, _ in fan_out.tick(Now(1001, a_master(), True)):
        client.take(payload)
    assert Quality.LIVE == client.quality[RELIANCE.code]
    assert [] == list(fan_out.qualities(Now(8000, a_master(), True)))

    ((_, payload, _),) = fan_out.qualities(Now(8001, a_master(), True))
    client.take(payload)
    assert Quality.STALE == client.quality[RELIANCE.code]
    assert [] == list(fan_out.qualities(Now(9000, a_master(), True)))

    plan = writer.plan_list({RELIANCE.code: seen(a_quote())}, 9001)
    table.receive(plan.frame)
    ((_, payload, _),) = fan_out.qualities(Now(9002, a_master(), True))
    client.take(payload)
    assert Quality.LIVE == client.quality[RELIANCE.code]


def test_missed_updates_are_merged_and_counted():
    """A client that lags gets the newest value once, and is told how much was merged."""
    hub, fan_out, table, writer = a_market()
    session = a_session(hub, PACKED, "RELIANCE")
    client = FollowingClient()
    for _, payload, _ in fan_out.tick(Now(1001, a_master(), True)):
        client.take(payload)
    hub.set_apart(session)
    for paise in range(1, 6):
        plan = writer.plan_batch({RELIANCE.code: {0: paise}}, 1001 + paise)
        writer.committed(plan)
        fan_out.changed(table.receive(plan.frame))
        assert [] == ticked(fan_out, Now(1001 + paise, a_master(), True))

    ((_, payload, _),) = ticked(fan_out, Now(1010, a_master(), True), [session])
    client.take(payload)

    assert 5 == client.held[RELIANCE.code][2][0]
    assert 4 == session.conflated


@pytest.mark.parametrize(
    ("interval_ms", "is_apart", "expected"),
    [
        (0, False, [0, 1100, 1200, 0]),
        (500, False, [0, 1100, 0, 1200]),
        (0, True, [0, 0, 0, 1200]),
    ],
)
def test_a_change_counts_as_sent_in_the_tick_in_which_somebody_gets_it(
    interval_ms, is_apart, expected
):
    """In step at once, at a rate when it is due, apart when the buffer has room; a first image is no change."""
    hub, fan_out, table, writer = a_market()
    ticked(fan_out, Now(1001, a_master(), True))
    session = Session("a", PACKED, FollowingClient())
    hub.join(session)
    hub.subscribe(session, ["RELIANCE"], Want(1, interval_ms), a_master())
    sent = []
    for ms in (1002, 1101, 1201, 1701):
        if ms in {1101, 1201}:
            plan = writer.plan_batch({RELIANCE.code: {0: ms}}, ms - 1)
            writer.committed(plan)
            fan_out.changed(table.receive(plan.frame))
        ready = [session] if ms == 1701 else []
        ticked(fan_out, Now(ms, a_master(), True), ready)
        sent.append(fan_out.received_at_ms)
        if is_apart:
            hub.set_apart(session)

    assert expected == sent


def test_what_changed_while_a_client_was_away_is_not_sent_late():
    """Only what changes once it is back."""
    hub, fan_out, table, writer = a_market()
    ticked(fan_out, Now(1001, a_master(), True))
    session = Session("a", PACKED, FollowingClient())
    hub.join(session)

    def change(ms, *codes):
        plan = writer.plan_batch({code: {0: ms} for code in codes}, ms)
        writer.committed(plan)
        fan_out.changed(table.receive(plan.frame))

    change(1100, RELIANCE.code)
    ticked(fan_out, Now(1101, a_master(), True))
    held = [(code, Position(1, 1)) for code in (RELIANCE.code, TCS.code)]
    hub.resume(session, held, QUOTE, a_master())
    assert ticked(fan_out, Now(2000, a_master(), True), [session])
    assert 0 == fan_out.received_at_ms

    hub.resume(session, held, QUOTE, a_master())
    change(2100, TCS.code)
    ticked(fan_out, Now(2101, a_master(), True), [session])
    assert 2100 == fan_out.received_at_ms


def test_subscriptions_have_a_limit():
    """What is over the limit is rejected by name; the rest is taken."""
    hub, *_ = a_market()
    session = Session("a", JsonCodec(), FollowingClient(), symbols_max=2)
    hub.join(session)
    rejected = hub.subscribe(
        session, ["RELIANCE", "nope", "532540", "INFY"], LTP, a_master()
    )

    assert [("nope", "unknown_symbol"), ("INFY", "too_many_symbols")] == [
        (r.symbol, r.reason) for r in rejected
    ]
    assert {RELIANCE.code, TCS.code} == set(session.wants)


def test_a_limited_client_gets_the_newest_value_when_it_is_due():
    """Two updates a second at most: what comes in between is merged, and nothing old is sent."""
    hub, fan_out, table, writer = a_market()
    session = Session("a", PACKED, FollowingClient())
    hub.join(session)
    hub.subscribe(session, ["RELIANCE"], Want(1, 500), a_master())
    client = FollowingClient()
    sent_at = []
    for ms in range(1000, 3000, 20):
        plan = writer.plan_batch({RELIANCE.code: {0: ms}}, ms)
        writer.committed(plan)
        fan_out.changed(table.receive(plan.frame))
        for _, payload, _ in fan_out.tick(Now(ms, a_master(), True)):
            client.take(payload)
            sent_at.append(ms)
            assert ms == client.held[RELIANCE.code][2][0]

    gaps = [after - before for before, after in pairwise(sent_at[1:])]
    assert {500} == set(gaps)


def test_a_newcomer_to_a_limited_group_takes_nothing_from_the_others():
    """It is imaged with the newest value; the others, who wait for it, still get it when they are due."""
    hub, fan_out, table, writer = a_market()
    first, second = FollowingClient(), FollowingClient()

    def tick(ms):
        for delivery in ticked(fan_out, Now(ms, a_master(), True)):
            deliver(delivery)

    def come(client):
        session = Session(f"s{len(hub.sessions)}", PACKED, client)
        hub.join(session)
        hub.subscribe(session, ["RELIANCE"], Want(1, 500), a_master())

    def trade(paise, ms):
        plan = writer.plan_batch({RELIANCE.code: {0: paise}}, ms)
        writer.committed(plan)
        fan_out.changed(table.receive(plan.frame))
        tick(ms)

    come(first)
    tick(1001)
    trade(7, 1100)
    trade(8, 1200)
    come(second)
    tick(1210)
    assert (7, 8) == tuple(c.held[RELIANCE.code][2][0] for c in (first, second))
    tick(1700)
    assert (8, 8) == tuple(c.held[RELIANCE.code][2][0] for c in (first, second))


def test_a_returning_client_gets_just_what_it_lacks():
    """Same epoch: one merged update of the changed fields. Another epoch: an image."""
    hub, fan_out, table, writer = a_market()
    ticked(fan_out, Now(1001, a_master(), True))
    plan = writer.plan_batch({RELIANCE.code: {0: 7}, TCS.code: {5: 8}}, 1002)
    writer.committed(plan)
    fan_out.changed(table.receive(plan.frame))
    ticked(fan_out, Now(1003, a_master(), True))
    session = Session("a", PACKED, FollowingClient())
    hub.join(session)
    hub.resume(
        session,
        [(RELIANCE.code, Position(1, 1)), (TCS.code, Position(0, 9))],
        QUOTE,
        a_master(),
    )
    deliveries = ticked(fan_out, Now(1004, a_master(), True), [session])
    kinds = [
        msgpack.unpackb(payload, strict_map_key=False) for _, payload, _ in deliveries
    ]

    assert [1, 2, 3] == [kind[0] for kind in kinds]
    assert TCS.code == kinds[0][3][0][0]
    code, since, to, fields = kinds[1][3][0]
    assert (RELIANCE.code, 1, 2, {0: 7}) == (code, since, to, {0: fields[0]})


def test_many_images_come_in_portions():
    """A whole market is sent piece by piece, as fast as the client takes it."""
    codes = range(600_000, 603_000)
    master = InstrumentMaster([Instrument(code, f"S{code}") for code in codes], 1)
    hub = Hub()
    table = QuoteTable(1)
    table.load(Snapshot(0, Position(1, 0), Confirmed(), {}))
    fan_out = FanOut(hub, table)
    session = Session("a", PACKED, FollowingClient())
    hub.join(session)
    assert [] == hub.subscribe(session, ["*"], QUOTE, master)
    now = Now(1, master, True)

    assert [] == ticked(fan_out, now)
    portions = []
    while session.apart:
        portions.append(ticked(fan_out, now, [session]))

    assert len(codes) == sum(quotes for portion in portions for _, _, quotes in portion)
    assert len(portions) > 1
    for portion in portions:
        assert sum(len(payload) for _, payload, _ in portion) < PORTION_BYTES + 1000


class OneThatReadsLate(FollowingClient):
    """What it was sent stays in its buffer until it reads."""

    unread_bytes = 0

    def take(self, payload):
        """One more message that it has not read."""
        self.unread_bytes += len(payload)
        super().take(payload)

    def backlog(self):
        """See WayOut."""
        return self.unread_bytes / PORTION_BYTES


def test_a_tick_of_the_whole_market_does_not_pile_up_at_one_who_does_not_read():
    """It is sent as far as it is read; the rest comes merged, in portions, and nothing is missing in the end."""
    codes = range(600_000, 606_000)
    master = InstrumentMaster([Instrument(code, f"S{code}") for code in codes], 1)
    hub, table = Hub(), QuoteTable(1)
    writer = ShardWriter(Snapshot(0, Position(1, 0), Confirmed(), {}))
    table.load(Snapshot(0, Position(1, 0), Confirmed(), {}))
    fan_out = FanOut(hub, table)
    clients = late, prompt = OneThatReadsLate(), FollowingClient()
    sessions = [Session(str(n), PACKED, client) for n, client in enumerate(clients)]

    def trade(paise, traded):
        plan = writer.plan_batch({code: {0: paise, 5: paise} for code in traded}, paise)
        writer.committed(plan)
        fan_out.changed(table.receive(plan.frame))
        tick()

    def tick(ready=()):
        late.unread_bytes = 0
        for delivery in fan_out.tick(Now(2000, master, True), ready):
            deliver(delivery)
        assert late.unread_bytes < 2 * PORTION_BYTES

    trade(1, codes)
    for session in sessions:
        hub.join(session)
        hub.subscribe(session, ["*"], QUOTE, master)
    while any(session.apart for session in sessions):
        tick(sessions)
    trade(2, codes[:-10])

    def seen_by(client):
        return [client.held[code][2][0] for code in codes]

    expected = [2] * 5990 + [1] * 10
    assert [True, False] == [session.apart for session in sessions]
    assert expected == seen_by(prompt)
    assert expected != seen_by(late)
    while sessions[0].apart:
        tick(sessions)
    assert expected == seen_by(late)

"""What a client gets that comes from another replica, which may have been ahead, or have counted otherwise."""

import msgpack
import pytest

from bse_shared.quotes.frame import Confirmed, Snapshot
from bse_shared.quotes.position import START, Position
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.testing.builders import RELIANCE, TCS, a_master, a_quote, seen
from bse_ws_hub.encodings.msgpack_codec import MsgpackCodec
from bse_ws_hub.encodings.wire import as_it_is
from bse_ws_hub.hub.digest import term
from bse_ws_hub.hub.fan_out import FanOut
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.hub.now import Now
from bse_ws_hub.hub.rows import BEHIND_MAX_MS
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.hub.vector import has_reached, has_reached_all, held_at
from bse_ws_hub.hub.wants import Want


CODE = RELIANCE.code
MASTER = a_master()
LAST, VOLUME = 1 << 0, 1 << 5


class Outlet:
    """Where nobody listens: what is looked at are the deliveries."""

    send = len


class Replica:
    """A hub's core on its own table, with one session."""

    def __init__(self, term):
        self.now_ms = 1000
        self.table = QuoteTable(1)
        self.hub = Hub()
        self.fan_out = FanOut(self.hub, self.table)
        self.session = Session("a", MsgpackCodec(wire=as_it_is), Outlet())
        self.hub.join(self.session)
        self.load(term)

    def load(self, snapshot):
        """Read the store."""
        self.fan_out.changed(self.table.load(snapshot))

    def take(self, frame):
        """A frame of the bus."""
        self.fan_out.changed(self.table.receive(frame))

    def resume(self, position, want, **options):
        """The client comes back with this of RELIANCE."""
        held = [(CODE, position)]
        self.hub.resume(self.session, held, want, MASTER, **options)

    def tick(self, after_ms=20):
        """The images and updates of a tick, for a client that reads."""
        self.now_ms += after_ms
        now = Now(self.now_ms, MASTER, True)
        deliveries = list(self.fan_out.tick(now, [self.session]))
        messages = [
            msgpack.unpackb(payload, strict_map_key=False)
            for _, payload, _ in deliveries
        ]
        return [message for message in messages if message[0] in {1, 2}]


@pytest.fixture
def writer():
    """A fetcher in epoch 7 that has written RELIANCE and TCS at sequence 1."""
    found = ShardWriter(Snapshot(0, Position(7, 0), Confirmed(), {}))
    write(found, {CODE: seen(a_quote()), TCS.code: seen(a_quote())})
    return found


def write(writer, fields):
    """The next frame."""
    plan = writer.plan_batch(fields, 1000)
    writer.committed(plan)
    return plan.frame


def store(writer):
    """What the store holds."""
    return Snapshot(0, writer.position, writer.confirmed, dict(writer.images))


def test_who_is_ahead_of_a_replica_waits_for_it(writer):
    """An image of what the replica has would go backwards; once it knows more, the client gets what it lacks."""
    late = Replica(store(writer))
    ahead = write(writer, {CODE: {0: 5}})
    late.resume(Position(7, 2), Want(LAST))
    before = late.tick()
    late.take(ahead)
    reached = late.tick()
    late.take(write(writer, {CODE: {0: 6}}))
    ((_, _, _, rows),) = late.tick()

    assert [] == before == reached
    assert [[CODE, 2, 3, {0: 6}]] == rows


def test_who_knows_a_newer_epoch_waits_too(writer):
    """The old writer's quote would be older than what the client has."""
    late = Replica(store(writer))
    newer = ShardWriter(Snapshot(0, Position(9, 0), Confirmed(), dict(writer.images)))
    write(newer, {CODE: {0: 5}})
    late.resume(Position(9, 1), Want(LAST))
    before = late.tick()
    late.load(store(newer))

    assert [] == before == late.tick()
    assert not late.session.apart


def test_nobody_waits_for_ever(writer):
    """Nothing says that such a position exists."""
    replica = Replica(store(writer))
    replica.resume(Position(7, 999), Want(LAST))
    assert [] == replica.tick()
    (image,) = replica.tick(BEHIND_MAX_MS)

    assert (1, [CODE, 7, 1]) == (image[0], image[3][0][:3])


def test_who_has_no_number_of_what_it_has_is_told_one(writer):
    """A row that follows anything, with what changed, or with nothing."""
    replica = Replica(store(writer))
    replica.tick()
    replica.resume(Position(7, 1), Want(LAST), numbered=False)
    ((_, _, _, unchanged),) = replica.tick()
    replica.resume(Position(7, 1), Want(LAST), numbered=False)
    replica.take(write(writer, {CODE: {0: 5}}))
    ((_, _, _, changed),) = replica.tick()

    assert [[CODE, 0, 1, {}]] == unchanged
    assert [[CODE, 0, 2, {0: 5}]] == changed


def test_who_wants_each_change_is_told_a_number_too(writer):
    """The first of its steps follows anything; where there is none, a row without fields."""
    replica, want = Replica(store(writer)), Want(LAST, every=True)
    replica.tick()
    replica.resume(Position(7, 1), want, numbered=False)
    ((_, _, _, unchanged),) = replica.tick()
    replica.resume(Position(7, 1), want, numbered=False)
    for paise in (5, 6):
        replica.take(write(writer, {CODE: {0: paise}}))
    ((_, _, _, steps),) = replica.tick()

    assert [[CODE, 0, 1, {}]] == unchanged
    assert [[CODE, 0, 2, {0: 5}], [CODE, 2, 3, {0: 6}]] == steps


def counted_further(writer):
    """A replica that knows just what changed, and a client that a late one told of the same values by a later number."""
    exact = Replica(store(writer))
    exact.take(write(writer, {CODE: {5: 5}}))
    exact.tick()
    exact.resume(Position(7, 2), Want(LAST))
    assert [] == exact.tick()
    return exact


def test_who_counts_further_is_told_the_digest_of_what_it_holds(writer):
    """Its own number until the scrip changes, the replica's from then on."""
    exact = counted_further(writer)
    before = exact.fan_out.digest(exact.session)
    exact.take(write(writer, {CODE: {0: 5}}))
    ((_, _, _, rows),) = exact.tick()

    assert term(CODE, 7, 2) == before
    assert [[CODE, 1, 3, {0: 5}]] == rows
    assert term(CODE, 7, 3) == exact.fan_out.digest(exact.session)
    assert not exact.session.ahead


def test_others_are_counted_as_they_are_here(writer):
    """Only the scrips that it brought are counted otherwise, and only for itself."""
    exact = counted_further(writer)
    other = Session("b", exact.session.codec, Outlet())
    exact.hub.join(other)
    for session, symbols in (
        (exact.session, ["TCS"]),
        (other, ["RELIANCE", "TCS"]),
    ):
        exact.hub.subscribe(session, symbols, Want(LAST), MASTER)
    exact.tick()
    digests = [exact.fan_out.digest(s) for s in (exact.session, other)]

    tcs = term(TCS.code, 7, 1)
    assert [(term(CODE, 7, n) + tcs) % 2**32 for n in (2, 1)] == digests


@pytest.mark.parametrize("apart", [False, True])
def test_an_image_brings_it_to_our_count(writer, apart):
    """What it holds is what it was sent last."""
    exact = counted_further(writer)
    exact.hub.subscribe(exact.session, ["RELIANCE"], Want(LAST), MASTER)
    if apart:
        exact.hub.set_apart(exact.session)
    ((kind, *_),) = exact.tick()

    assert 1 == kind
    assert term(CODE, 7, 1) == exact.fan_out.digest(exact.session)


def test_what_it_brings_next_counts(writer):
    """It may come back with the number of another replica."""
    exact = counted_further(writer)
    exact.resume(Position(7, 1), Want(LAST))
    assert [] == exact.tick()

    assert term(CODE, 7, 1) == exact.fan_out.digest(exact.session)


def test_what_it_no_longer_wants_is_not_counted(writer):
    """A set of nothing has no digest, and nothing is remembered."""
    exact = counted_further(writer)
    exact.hub.subscribe(exact.session, ["TCS"], Want(LAST), MASTER)
    exact.hub.unsubscribe(exact.session, ["RELIANCE"], MASTER)
    exact.tick()

    assert term(TCS.code, 7, 1) == exact.fan_out.digest(exact.session)
    assert not exact.session.ahead


def test_a_place_in_the_market_says_which_scrips_are_unchanged(writer):
    """A scrip that changed since leads to an image: in which epoch the client has it is not known."""
    replica = Replica(store(writer))
    at = writer.position
    unchanged = held_at([at], CODE, replica.table)
    replica.take(write(writer, {CODE: {0: 5}}))
    changed = held_at([at], CODE, replica.table)

    assert (Position(7, 1), 0) == (unchanged, changed.epoch)
    assert changed != START
    assert START == held_at([at, at], CODE, replica.table)
    assert START == held_at([at], 999_999, replica.table)


def test_whether_a_replica_has_come_so_far(writer):
    """By shard; a place in a market of other shards is not waited for."""
    table = Replica(store(writer)).table

    assert has_reached(table, CODE, Position(7, 1))
    assert not has_reached(table, CODE, Position(7, 2))
    assert has_reached_all(table, [Position(7, 1)])
    assert not has_reached_all(table, [Position(8, 0)])
    assert has_reached_all(table, [Position(8, 0)] * 2)


def test_who_asks_for_fewer_updates_goes_on_from_what_it_has(writer):
    """Live, from one tick to the next: an update, not a new image."""
    replica = Replica(store(writer))
    replica.hub.subscribe(replica.session, ["RELIANCE"], Want(LAST), MASTER)
    replica.tick()
    replica.hub.limit(replica.session, 100)
    replica.take(write(writer, {CODE: {0: 5}}))
    ((kind, _, _, rows),) = replica.tick()

    assert (2, [[CODE, 1, 2, {0: 5}]]) == (kind, rows)


def test_who_catches_up_gets_a_tick_once(writer):
    """What it missed and this tick in one; not this tick once more with its group."""
    replica = Replica(store(writer))
    replica.hub.subscribe(replica.session, ["RELIANCE"], Want(LAST), MASTER)
    replica.tick()
    replica.hub.set_apart(replica.session)
    replica.take(write(writer, {CODE: {0: 5}}))
    messages = replica.tick()

    assert not replica.session.apart
    assert [[[CODE, 1, 2, {0: 5}]]] == [message[3] for message in messages]

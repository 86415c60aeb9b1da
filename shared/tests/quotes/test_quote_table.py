"""The reader's table, case by case."""

from bse_shared.quotes.frame import Confirmation, Confirmed, Frame, ShardHead, Snapshot
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote_table import ALL_FIELDS, WAITING_MAX, QuoteTable
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.testing.builders import RELIANCE, TCS, a_quote, seen


EPOCH = 1_795_330_000_000


def a_writer():
    """A writer whose term has just begun on an empty shard."""
    return ShardWriter(Snapshot(0, Position(EPOCH, 0), Confirmed(), {}))


def write(writer, at_ms=1000, **by_symbol):
    """Commit a list of quotes; the frame."""
    codes = {"reliance": RELIANCE.code, "tcs": TCS.code}
    plan = writer.plan_list(
        {codes[name]: seen(quote) for name, quote in by_symbol.items()}, at_ms
    )
    writer.committed(plan)
    return plan.frame


def snapshot_of(writer):
    """What the store holds after the writer's commits."""
    return Snapshot(0, writer.position, writer.confirmed, dict(writer.images))


def a_table_following(writer):
    """A table that has read the shard."""
    table = QuoteTable(1)
    table.load(snapshot_of(writer))
    return table


def test_frames_in_order_are_taken():
    """The everyday case: the changed fields arrive, and the mask says which."""
    writer = a_writer()
    table = a_table_following(writer)

    first = table.receive(write(writer, reliance=a_quote(100)))
    second = table.receive(write(writer, reliance=a_quote(101)))

    assert {RELIANCE.code: ALL_FIELDS} == first
    assert {RELIANCE.code: 1} == second
    assert 101 == table.get(RELIANCE.code).quote.last_paise


def test_a_lost_frame_is_noticed_at_the_next():
    """A hole makes the shard wanted; the snapshot fills it and the waiting frame joins."""
    writer = a_writer()
    table = a_table_following(writer)
    write(writer, reliance=a_quote(100))
    second = write(writer, reliance=a_quote(101), tcs=a_quote(7))

    assert {} == table.receive(second)
    assert [0] == table.wanted_snapshots()

    table.load(snapshot_of(writer))

    assert table.synced
    assert 101 == table.get(RELIANCE.code).quote.last_paise


def test_frames_before_the_snapshot_wait_and_join():
    """Subscribe first, read second: what came in between is applied on top."""
    writer = a_writer()
    old = snapshot_of(writer)
    table = QuoteTable(1)
    table.receive(write(writer, tcs=a_quote(7)))
    changed = table.load(old)

    assert TCS.code in changed
    assert 7 == table.get(TCS.code).quote.last_paise


def test_too_many_waiting_frames_cost_no_memory():
    """What waits for a snapshot is bounded; the rest is found by reading again."""
    writer = a_writer()
    table = QuoteTable(1)
    frames = [write(writer, tcs=a_quote(n)) for n in range(1, WAITING_MAX * 2)]
    for frame in frames:
        table.receive(frame)
    table.load(Snapshot(0, Position(EPOCH, 0), Confirmed(), {}))

    assert WAITING_MAX == table.position(0).sequence
    table.receive(frames[-1])
    assert [0] == table.wanted_snapshots()


def test_a_frame_under_way_is_not_taken_for_lost():
    """Anti-entropy gives a frame one comparison's time to arrive."""
    writer = a_writer()
    table = a_table_following(writer)
    frame = write(writer, tcs=a_quote(7))
    head = ShardHead(0, writer.position, writer.confirmed)

    table.compare(head)
    assert table.synced
    table.receive(frame)
    table.compare(head)
    assert table.synced


def test_a_lost_last_frame_is_found_by_the_second_comparison():
    """Silence after a loss would hide it from the sequence: the store's head shows it."""
    writer = a_writer()
    table = a_table_following(writer)
    write(writer, tcs=a_quote(7))
    head = ShardHead(0, writer.position, writer.confirmed)
    table.compare(head)
    table.compare(head)

    assert [0] == table.wanted_snapshots()


def test_a_new_epoch_is_read_whole():
    """Another writer may have started from a rolled-back store: nothing is assumed."""
    writer = a_writer()
    write(writer, reliance=a_quote(100))
    rolled_back = snapshot_of(writer)
    write(writer, reliance=a_quote(200))
    table = a_table_following(writer)
    newer = ShardWriter(
        Snapshot(0, Position(EPOCH + 5, 0), rolled_back.confirmed, rolled_back.images)
    )
    table.receive(write(newer, tcs=a_quote(7)))

    assert [0] == table.wanted_snapshots()
    table.load(snapshot_of(newer))
    assert 100 == table.get(RELIANCE.code).quote.last_paise


def test_a_store_that_is_behind_is_not_followed():
    """Last-known values outlive a store that lost its memory; they only grow old."""
    writer = a_writer()
    write(writer, reliance=a_quote(100))
    table = a_table_following(writer)
    empty = Snapshot(0, Position(0, 0), Confirmed(), {})
    table.read_again()

    assert {} == table.load(empty)
    assert 100 == table.get(RELIANCE.code).quote.last_paise


def test_confirmation_without_change_keeps_a_price_fresh():
    """Changed at and confirmed at differ."""
    writer = a_writer()
    table = a_table_following(writer)
    table.receive(write(writer, 1000, reliance=a_quote()))
    table.receive(write(writer, 4000, reliance=a_quote()))

    assert 1000 == table.get(RELIANCE.code).changed_at_ms
    assert 4000 == table.confirmed_at_ms(RELIANCE.code)


def test_a_scrip_missing_from_the_list_is_not_confirmed():
    """A price that the exchange did not return grows old while the others stay fresh."""
    writer = a_writer()
    table = a_table_following(writer)
    table.receive(write(writer, 1000, reliance=a_quote(), tcs=a_quote()))
    table.receive(write(writer, 4000, reliance=a_quote()))

    assert 4000 == table.confirmed_at_ms(RELIANCE.code)
    assert 1000 == table.confirmed_at_ms(TCS.code)
    assert 7000 - 3000 == table.live_for_ms(4000)
    assert 7000 - 4001 == table.live_for_ms(8001)


def test_nothing_fresh_means_no_time_to_live():
    """Once all is stale the heartbeat promises nothing."""
    writer = a_writer()
    table = a_table_following(writer)
    table.receive(write(writer, 1000, reliance=a_quote()))

    assert 0 == table.live_for_ms(9000)
    assert 0 == QuoteTable(1).live_for_ms(9000)


def test_batch_confirmations_stand_apart():
    """A batch source confirms just what it was asked."""
    confirmed = Confirmed(1000, {1: 500}).after(Confirmation(2000, False, (2, 3)))

    assert [500, 2000, 2000, 1000] == [confirmed.at_ms(code) for code in (1, 2, 3, 4)]
    whole = confirmed.after(Confirmation(3000, True, (2,)))
    assert [3000, 2000] == [whole.at_ms(code) for code in (1, 2)]


def test_a_change_on_the_wrong_base_is_refused():
    """A corrupt frame is not merged: the store is right."""
    writer = a_writer()
    frame = write(writer, reliance=a_quote(100))
    table = a_table_following(a_writer())
    wrong = frame.changes[0]._replace(previous=Position(1, 1))
    table.receive(Frame(0, frame.position, 1, frame.confirmation, (wrong,)))

    assert table.get(RELIANCE.code) is None
    assert [0] == table.wanted_snapshots()


def a_batch(writer, at_ms, **by_symbol):
    """Commit a batch of quotes; the frame."""
    codes = {"reliance": RELIANCE.code, "tcs": TCS.code}
    plan = writer.plan_batch(
        {codes[name]: seen(quote) for name, quote in by_symbol.items()}, at_ms
    )
    writer.committed(plan)
    return plan.frame


def test_a_batch_source_is_heard_as_well_as_a_list_source():
    """A batch confirms some scrips and never the whole; details confirm nothing."""
    writer = a_writer()
    table = a_table_following(writer)
    assert 0 == table.heard_ms()

    table.receive(a_batch(writer, 1000, reliance=a_quote(100)))
    assert 1000 == table.heard_ms()
    table.receive(a_batch(writer, 4000, tcs=a_quote(7)))
    assert 4000 == table.heard_ms()
    details = writer.plan_details({RELIANCE.code: {1: 99}}, 9000)
    writer.committed(details)
    table.receive(details.frame)
    assert 4000 == table.heard_ms()

    late = QuoteTable(1)
    late.load(snapshot_of(writer))
    assert 4000 == late.heard_ms()


def test_the_feed_is_as_old_as_its_oldest_shard():
    """One whose writer fell silent makes it old; one that never held a price does not."""
    table = QuoteTable(3)
    for shard, at_ms in ((0, 5000), (1, 2000)):
        writer = ShardWriter(Snapshot(shard, Position(EPOCH, 0), Confirmed(), {}))
        writer.committed(writer.plan_list({RELIANCE.code: seen(a_quote(1))}, at_ms))
        table.load(
            Snapshot(shard, writer.position, writer.confirmed, dict(writer.images))
        )

    assert 2000 == table.heard_ms()


def test_an_unchanged_market_is_heard_by_comparison():
    """A confirmation that the bus lost is in the store's head."""
    writer = a_writer()
    table = a_table_following(writer)
    table.receive(write(writer, at_ms=1000, reliance=a_quote(100)))
    newer = Confirmed(4000)

    table.compare(ShardHead(0, writer.position, newer))
    assert 4000 == table.heard_ms()

"""The heart: whatever is lost, delayed, repeated, reordered, rolled back or taken over, readers stay true.

A stateful simulation of writers, a store with the promises of the Lua scripts, a lossy bus and readers. All
time is simulated. After every step: nothing a reader holds was never in the store, and within an epoch
nothing runs backwards. Once the network is quiet and a writer has written, every reader equals the store.
"""

from collections import defaultdict
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from bse_shared.quotes.frame import Confirmed, ShardHead, Snapshot
from bse_shared.quotes.position import Position, next_epoch
from bse_shared.quotes.quote import NUMBER
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.quotes.shard_writer import ShardWriter


CODES = (500325, 532540, 500209, 543320)
READERS = 3
LAST, VOLUME = NUMBER["last_paise"], NUMBER["volume"]

SEEN = st.dictionaries(
    st.sampled_from(CODES),
    st.fixed_dictionaries(
        {}, optional={LAST: st.integers(1, 9), VOLUME: st.integers(1, 9)}
    ),
    min_size=1,
)


class SimulatedStore:
    """One shard with the promises of `redis_edge/scripts.py`."""

    def __init__(self):
        self.state = Snapshot(0, Position(0, 0), Confirmed(), {})
        self.holder = None

    def take(self, holder, floor):
        """TAKE_LEASE: a new term, above what is stored and the floor."""
        epoch = next_epoch(self.state.position.epoch, floor)
        self.holder = (holder, epoch)
        self.state = replace(self.state, position=Position(epoch, 0))
        return self.state

    def commit(self, holder, plan):
        """COMMIT: only for the holder, only on the state that he knows."""
        position = plan.frame.position
        if self.holder != (holder, position.epoch):
            return False
        if self.state.position != Position(position.epoch, position.sequence - 1):
            return False
        images = {**self.state.images, **plan.images}
        self.state = Snapshot(0, position, plan.confirmed, images)
        return True


class Convergence(RuleBasedStateMachine):
    """Writers, store, bus and readers."""

    @initialize()
    def start(self):
        """One shard, two writers, three readers, an empty bus."""
        self.clock = 1
        self.store = SimulatedStore()
        self.writers = {}
        self.bus = [[] for _ in range(READERS)]
        self.tables = [QuoteTable(1) for _ in range(READERS)]
        self.history = defaultdict(set)
        self.backups = []
        self.seen_epoch = 0
        self.highest = [{} for _ in range(READERS)]

    @rule(name=st.sampled_from("ab"))
    def take_over(self, name):
        """A writer takes the lease; the other one does not know it yet."""
        self.clock += 1
        term = self.store.take(name, max(self.clock, self.seen_epoch + 1))
        self.seen_epoch = term.position.epoch
        self.writers[name] = ShardWriter(term)

    @rule(name=st.sampled_from("ab"), seen=SEEN, whole=st.booleans())
    def write(self, name, seen, whole):
        """A writer, in or out of office, commits; if it is taken, the bus carries the frame."""
        writer = self.writers.get(name)
        if writer is None:
            return
        self.clock += 1
        make = writer.plan_list if whole else writer.plan_batch
        plan = make(seen, self.clock)
        if not self.store.commit(name, plan):
            del self.writers[name]
            return
        writer.committed(plan)
        for code, image in self.store.state.images.items():
            self.history[code].add(image)
        for queue in self.bus:
            queue.append(plan.frame)

    @precondition(lambda self: any(self.bus))
    @rule(data=st.data(), reader=st.integers(0, READERS - 1))
    def deliver(self, data, reader):
        """The bus delivers any frame under way, in any order, perhaps once more later."""
        queue = self.bus[reader]
        if not queue:
            return
        frame = data.draw(st.sampled_from(queue))
        if data.draw(st.booleans()):
            queue.remove(frame)
        self.tables[reader].receive(frame)

    @rule(reader=st.integers(0, READERS - 1))
    def lose(self, reader):
        """The bus forgets what is under way to a reader, who hears nothing of it."""
        self.bus[reader].clear()

    @rule(reader=st.integers(0, READERS - 1))
    def reconnect(self, reader):
        """A reader's connection broke and stands again."""
        self.bus[reader].clear()
        self.tables[reader].read_again()

    @rule(reader=st.integers(0, READERS - 1))
    def repair(self, reader):
        """A reader's round: compare with the store, read what is wanted."""
        self.look(reader)

    @rule()
    def back_up(self):
        """A replica holds this state."""
        self.backups.append(self.store.state)

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def roll_back(self, data):
        """Fail-over to a replica that lacks acknowledged writes; its lease record may be lost too."""
        self.store.state = data.draw(st.sampled_from(self.backups))
        if data.draw(st.booleans()):
            self.store.holder = None

    @rule(reader=st.integers(0, READERS - 1))
    def restart_reader(self, reader):
        """A new process with an empty table."""
        self.tables[reader] = QuoteTable(1)
        self.bus[reader].clear()
        self.highest[reader] = {}

    @rule(seen=SEEN)
    def quiet(self, seen):
        """The network heals, a writer writes: two rounds later every reader equals the store."""
        for queue in self.bus:
            queue.clear()
        self.take_over("a")
        self.write("a", seen, True)
        for queue in self.bus:
            queue.clear()
        for reader, table in enumerate(self.tables):
            self.look(reader)
            self.look(reader)
            assert dict(self.store.state.images) == table.images
            assert self.store.state.position == table.position(0)
            assert all(
                self.store.state.confirmed.at_ms(code) == table.confirmed_at_ms(code)
                for code in table.images
            )

    def look(self, reader):
        """What QuoteFollower.repair does."""
        table, state = self.tables[reader], self.store.state
        table.compare(ShardHead(0, state.position, state.confirmed))
        for _ in table.wanted_snapshots():
            table.load(state)

    @invariant()
    def nothing_invented(self):
        """Every image that a reader holds was once in the store."""
        for table in getattr(self, "tables", []):
            for code, image in table.images.items():
                assert image in self.history[code]

    @invariant()
    def nothing_backwards_within_an_epoch(self):
        """Per scrip and epoch a reader's position only grows."""
        for table, highest in zip(
            getattr(self, "tables", []), getattr(self, "highest", []), strict=True
        ):
            for code, image in table.images.items():
                epoch, sequence = image.position
                shard_epoch = table.position(0).epoch
                key = (code, shard_epoch, epoch)
                assert sequence >= highest.get(key, 0)
                highest[key] = sequence


TestConvergence = Convergence.TestCase
TestConvergence.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None
)

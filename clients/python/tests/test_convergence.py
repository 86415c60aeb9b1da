"""A whole stream against a simulated hub and network: whatever is dropped, repeated, reordered, merged or cut,
what is shown was held by the hub, never goes back, is never live when it may be wrong, and converges.
"""

import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from bse_client.answers import Resumed, Subscribed, Subscription
from bse_client.awaited_images import ASK_AGAIN_MS
from bse_client.commands import Asked, Want
from bse_client.digest import digest
from bse_client.fields import Mode, Quality
from bse_client.follower import Follower
from bse_client.messages import (
    Heartbeat,
    Image,
    Qualities,
    QuoteImage,
    QuoteQuality,
    QuoteUpdate,
    Update,
)
from bse_client.testing import heartbeat, welcome


CODES = (1, 2, 3)
NAMES = ("last_paise", "volume")
CODE = st.sampled_from(CODES)
FATES = ("arrives", "arrives", "late", "lost", "kept")
NAME_SETS = st.sets(st.sampled_from(NAMES), min_size=1)


class Simulation(RuleBasedStateMachine):
    """`history[code]`: all states of a scrip in this epoch; `sent[code]`: the position last sent."""

    @initialize(every=st.booleans())
    def begin(self, every):
        """A stream with images of all scrips."""
        self.now, self.epoch, self.every = 0.0, 1, every
        self.values, self.returns = itertools.count(1), 0
        self.follower = Follower()
        self.wire, self.wanted = [], []
        self.history = {code: [dict.fromkeys(NAMES, 0)] for code in CODES}
        self.seen = dict.fromkeys(CODES, (0, 0))
        self.follower.receive(welcome(), 0)
        self.items = tuple(
            Subscription(f"S{c}", c, Mode.QUOTE, every=every) for c in CODES
        )
        asked = Asked("subscribe", tuple(f"S{c}" for c in CODES), Want.of())
        self.take(Subscribed(1, self.items, ()), asked)
        self.sent = dict.fromkeys(CODES, 0)
        for code in CODES:
            self.image(code)

    # What happens at the hub.

    @rule(code=CODE, names=NAME_SETS, fate=st.sampled_from(FATES))
    def publish(self, code, names, fate):
        """A quote changes; what is new arrives, merged or row by row, or late, or never, or is kept back."""
        self.change(code, names)
        newest = len(self.history[code]) - 1
        if fate == "kept":
            return
        after, self.sent[code] = self.sent[code], newest
        if fate == "lost":
            return
        for to in range(after + 1, newest + 1) if self.every else [newest]:
            update = self.update(code, after, to)
            after = to
            if fate == "late":
                self.wire.append(update)
            else:
                self.take(update)

    @precondition(lambda self: self.epoch < 3)
    @rule()
    def take_over(self):
        """Another fetcher: a new epoch, which begins with images."""
        self.epoch += 1
        self.history = {code: [states[-1]] for code, states in self.history.items()}
        self.wire = []
        for code in CODES:
            self.image(code)

    # What happens on the way.

    @precondition(lambda self: self.wire)
    @rule(data=st.data(), again=st.booleans())
    def deliver(self, data, again):
        """Any of the updates on the way arrives, and may arrive once more."""
        place = data.draw(st.integers(0, len(self.wire) - 1))
        self.take(self.wire[place] if again else self.wire.pop(place))

    @rule(ms=st.integers(1, 4_000))
    def wait(self, ms):
        """Time passes."""
        self.now += ms
        self.follower.check(self.now)

    @precondition(lambda self: self.wanted)
    @rule(lost=st.booleans())
    def answer_images(self, lost):
        """The hub answers what the client asked for; or the answer is lost."""
        wanted, self.wanted = self.wanted, []
        if not lost:
            for code in wanted:
                self.image(code)

    @rule(proves=st.booleans())
    def beat(self, proves):
        """A heartbeat, with a digest where nothing is withheld: who holds something else shows nothing live.

        While an image is awaited the digests are known to differ, and are not compared.
        """
        newest = {code: len(states) - 1 for code, states in self.history.items()}
        awaits = bool(self.follower._awaited)
        proves = proves and not self.wire and self.sent == newest and not awaits
        self.take(self.heartbeat(self.digest_of_hub() if proves else None))
        quotes = [self.follower.quote(code, self.now) for code in CODES]
        wrong = [q for q in quotes if proves and q.sequence != newest[q.code]]
        assert not any(quote.is_live for quote in wrong)

    @precondition(lambda self: self.returns < 3)
    @rule(missed=st.lists(CODE, max_size=3))
    def reconnect(self, missed):
        """The connection is cut; on the next one the hub goes on from what the client says."""
        self.wire, self.wanted = [], []
        self.follower.disconnected(self.now)
        self.returns += 1
        for code in missed:
            self.change(code, {"last_paise"})
        self.follower.receive(welcome(), self.now)
        for part in self.follower.restore():
            self.resume(part)
        self.follower.restored(is_return=True)

    # Laws.

    @invariant()
    def only_what_the_hub_held(self):
        """Each quote is a state of the hub, at its position, and positions never run backwards."""
        for code in CODES:
            quote = self.follower.quote(code, self.now)
            position = (quote.epoch, quote.sequence)
            if quote.epoch == self.epoch:
                state = self.history[code][quote.sequence]
                assert {n: getattr(quote, n) for n in NAMES} == state
            assert position >= self.seen[code]
            self.seen[code] = position

    def teardown(self):
        """In the end everything arrives: the stream holds what the hub holds, and shows it live."""
        if not hasattr(self, "follower"):
            return
        self.wire = []
        for _ in range(4):
            self.now += ASK_AGAIN_MS
            self.take(self.heartbeat(self.digest_of_hub()))
            wanted, self.wanted = self.wanted, []
            for code in wanted:
                self.image(code)
        self.take(self.heartbeat(self.digest_of_hub()))
        assert not self.wanted
        for code in CODES:
            quote = self.follower.quote(code, self.now)
            newest = len(self.history[code]) - 1
            assert (quote.epoch, quote.sequence) == (self.epoch, newest)
            assert quote.is_live

    # Private.

    def change(self, code, names):
        """The next state of a scrip: each name has a value that it never had."""
        new = {name: next(self.values) for name in sorted(names)}
        self.history[code].append(self.history[code][-1] | new)

    def take(self, message, asked=None):
        """A message comes in."""
        self.wanted += self.follower.receive(message, self.now, asked)

    def image(self, code):
        """The newest image arrives."""
        newest = len(self.history[code]) - 1
        self.sent[code] = newest
        fields = dict(self.history[code][-1])
        row = QuoteImage(code, self.epoch, newest, 1, Quality.LIVE, fields)
        self.take(Image(1, 1, (row,)))

    def update(self, code, after, to):
        """Everything between two positions."""
        old, new = self.history[code][after], self.history[code][to]
        # What changed and changed back is told, too: values are absolute.
        fields = {n: new[n] for n in NAMES if old[n] != new[n]} or {
            "volume": new["volume"]
        }
        return Update(1, 1, (QuoteUpdate(code, after, to, fields),))

    def resume(self, part):
        """What a hub does with positions: go on, or an image."""
        same = [p for p in part.positions if p[1] == self.epoch]
        other = [p[0] for p in part.positions if p[1] != self.epoch] + [
            int(name) for name in part.names
        ]
        asked = Asked("resume", want=part.want, positions=part.positions)
        going_on = tuple(p[0] for p in same)
        self.take(Resumed(1, self.items, (), going_on, tuple(other)), asked)
        for code, _, held in same:
            newest = self.sent[code] = len(self.history[code]) - 1
            if held < newest:
                self.take(self.update(code, held, newest))
            self.take(Qualities(1, (QuoteQuality(code, Quality.LIVE),)))
        for code in other:
            self.image(code)

    def heartbeat(self, proof) -> Heartbeat:
        """A heartbeat of now."""
        return heartbeat(60_000, 1_795_334_400_100 + int(self.now), digest=proof)

    def digest_of_hub(self):
        """The check sum of the newest positions."""
        newest = {code: len(states) - 1 for code, states in self.history.items()}
        return digest((code, self.epoch, newest[code]) for code in CODES)


Simulation.TestCase.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None
)
TestConvergence = Simulation.TestCase

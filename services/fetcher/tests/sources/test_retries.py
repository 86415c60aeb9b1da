"""Tries within a call: when, how often, how far apart; and what the guard makes of them."""

import pytest
from prometheus_client import CollectorRegistry

from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.circuit import Circuit, CircuitRules
from bse_fetcher.sources.errors import (
    ExchangeUnavailable,
    Forbidden,
    MalformedAnswer,
    NotAsked,
    RateLimited,
    Unauthorized,
)
from bse_fetcher.sources.guard import Guards
from bse_fetcher.sources.retries import MOMENTARY, Retries
from bse_shared.pacing.store_clock import StoreClock
from bse_shared.redis_edge.source_budgets import Budget, SourceBudgets
from bse_shared.testing.fake_clock import FakeClock


def down():
    """A failure that may be a moment's."""
    return ExchangeUnavailable("connection", "refused")


class Source:
    """Answers with these, one after the other; the last one for ever."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.asked = 0

    async def ask(self):
        """An answer, or an error."""
        self.asked += 1
        outcome = self.outcomes[min(self.asked, len(self.outcomes)) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Waits:
    """Notes how long was slept, without sleeping."""

    def __init__(self):
        self.s = []

    async def __call__(self, seconds):
        """Sleep."""
        self.s.append(seconds)


async def call(source, waits=None, **changes):
    """One call that may go on."""
    retries = Retries(**{"sleep": waits or Waits(), **changes})
    return await retries.call(source.ask, lambda: True)


async def test_a_moments_failure_is_tried_again():
    """And the second answer is as good as the first would have been."""
    source = Source(down(), "answer")

    assert "answer" == await call(source)
    assert 2 == source.asked


async def test_the_waits_grow_and_vary():
    """Twice the last one, and up to the first wait more: replicas must not come back together."""
    firsts, seconds = set(), set()
    for _ in range(50):
        waits = Waits()
        with pytest.raises(ExchangeUnavailable):
            await call(Source(down()), waits, within_s=60)
        first, second = waits.s
        firsts.add(first)
        seconds.add(second)

    assert 0.2 <= min(firsts) < max(firsts) <= 0.4
    assert 0.4 <= min(seconds) < max(seconds) <= 0.6


async def test_no_try_begins_after_the_deadline():
    """Who would have to wait longer than that gives up at once."""
    waits, source = Waits(), Source(down())
    with pytest.raises(ExchangeUnavailable):
        await call(source, waits, within_s=0.1)

    assert ([], 1) == (waits.s, source.asked)


@pytest.mark.parametrize(
    "error",
    [
        Forbidden("no"),
        Unauthorized("who"),
        RateLimited(1),
        NotAsked("over_budget", 1),
        ExchangeUnavailable("not_found", "HTTP 404"),
        ExchangeUnavailable("redirected", "HTTP 302"),
        MalformedAnswer("html", "a page instead of data"),
        MalformedAnswer("frozen", "nothing moves"),
        ValueError("a bug"),
    ],
)
async def test_what_the_source_means_is_not_tried_again(error):
    """A block, a pause it asks for, a page: quick retries make it worse. A bug is a bug."""
    source = Source(error)
    with pytest.raises(type(error)):
        await call(source)

    assert 1 == source.asked


@pytest.mark.parametrize("kind", sorted(MOMENTARY))
async def test_what_may_be_gone_is_tried_three_times(kind):
    """And then the error is the last one."""
    source = Source(
        ExchangeUnavailable(kind, "1"),
        ExchangeUnavailable(kind, "2"),
        ExchangeUnavailable(kind, "3"),
    )
    with pytest.raises(ExchangeUnavailable, match="3"):
        await call(source)

    assert 3 == source.asked


class Guarded:
    """A guard that tries three times, and what it counts."""

    def __init__(self, redis, burst=100):
        self.clock = FakeClock()
        self.paused = False
        self.registry = CollectorRegistry()
        budgets = SourceBudgets(
            redis, self.clock, StoreClock(), {"bse": Budget(0.001, burst)}
        )
        guards = Guards(
            budgets,
            self.clock,
            lambda: Circuit(CircuitRules(), lambda: 0.5),
            FetcherMetrics(self.registry),
            lambda: self.paused,
            Retries(sleep=self.sleep),
        )
        self.guard = guards.add("bse", "market", "primary")
        self.pauses_in_sleep = False

    async def sleep(self, seconds):
        """Time passes."""
        self.clock.advance(seconds * 1000)
        self.paused = self.pauses_in_sleep

    def count(self, name, **labels):
        """A counter of the endpoint."""
        all_labels = {"source": "bse", "endpoint": "market", **labels}
        return self.registry.get_sample_value(f"{name}_total", all_labels) or 0


async def test_a_call_that_succeeds_in_the_end_is_no_failure(redis):
    """The circuit counts calls; the metrics count tries."""
    guarded, source = Guarded(redis), Source(down(), down(), "answer")

    assert "answer" == await guarded.guard.call(source.ask)
    assert 0 == guarded.guard.circuit.failures
    assert "" == guarded.guard.last_error
    assert 2 == guarded.count("fetcher_source_calls", outcome="connection")
    assert 1 == guarded.count("fetcher_source_calls", outcome="ok")
    assert 2 == guarded.count("fetcher_source_retries")


async def test_a_probe_is_tried_once(redis):
    """While the circuit is open the source is asked once an interval, not three times."""
    guarded, source = Guarded(redis), Source(down())
    for _ in range(2):
        with pytest.raises(ExchangeUnavailable):
            await guarded.guard.call(source.ask)
    assert 4 == source.asked
    with pytest.raises(NotAsked):
        await guarded.guard.call(source.ask)
    guarded.clock.advance(3000)
    with pytest.raises(ExchangeUnavailable):
        await guarded.guard.call(source.ask)

    assert 5 == source.asked


async def test_every_try_spends_of_the_budget(redis):
    """Where nothing is left the call failed as it failed: the circuit must hear of it."""
    guarded, source = Guarded(redis, burst=2), Source(down())
    with pytest.raises(ExchangeUnavailable, match="connection"):
        await guarded.guard.call(source.ask)

    assert 2 == source.asked
    assert 2 == guarded.guard.circuit.failures


async def test_an_order_to_pause_ends_the_tries(redis):
    """It may come while one waits."""
    guarded, source = Guarded(redis), Source(down())
    guarded.pauses_in_sleep = True
    with pytest.raises(ExchangeUnavailable):
        await guarded.guard.call(source.ask)

    assert 2 == source.asked

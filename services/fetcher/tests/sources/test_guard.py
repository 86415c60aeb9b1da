"""The door before a source: the budget that replicas share, and what a failure teaches."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.circuit import Circuit, CircuitRules, State
from bse_fetcher.sources.errors import (
    ExchangeError,
    ExchangeUnavailable,
    Forbidden,
    NotAsked,
    RateLimited,
)
from bse_fetcher.sources.guard import Guards
from bse_fetcher.sources.retries import Retries
from bse_shared.pacing.store_clock import StoreClock
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.source_budgets import Budget, SourceBudgets
from bse_shared.testing.fake_clock import FakeClock


@pytest.fixture
def guards_of(redis):
    """Make the guards of a replica: three requests at once, one in a thousand seconds then."""

    def make(burst=3):
        clock = FakeClock()
        budgets = SourceBudgets(
            redis, clock, StoreClock(), {"bse": Budget(0.001, burst)}
        )
        rules = CircuitRules()
        return Guards(
            budgets,
            clock,
            lambda: Circuit(rules, lambda: 0.5),
            FetcherMetrics(CollectorRegistry()),
        )

    return make


async def fine():
    """A source that answers."""
    return "answer"


def failing(error):
    """A source that fails so."""

    async def ask():
        raise error

    return ask


async def test_replicas_share_the_budget(guards_of):
    """Six guards of two replicas get through as often as one would."""
    guards = [guards_of().add("bse", f"e{n}", "primary") for n in range(6)]
    outcomes = await asyncio.gather(
        *(guard.call(fine) for guard in guards), return_exceptions=True
    )

    spared = [each for each in outcomes if isinstance(each, NotAsked)]
    assert ["answer"] * 3 == [each for each in outcomes if each == "answer"]
    assert [("over_budget", True)] * 3 == [
        (each.kind, 0 < each.retry_in_s <= 1000) for each in spared
    ]


@pytest.mark.parametrize(
    ("error", "wait_s"), [(RateLimited(40), 40), (Forbidden("403"), 60)]
)
async def test_a_replica_that_takes_over_keeps_the_pause_of_the_other(
    guards_of, error, wait_s
):
    """Retry-After and a block are told to all."""
    first, second = (guards_of(9).add("bse", "market", "primary") for _ in range(2))
    with pytest.raises(type(error)):
        await first.call(failing(error))
    with pytest.raises(NotAsked) as caught:
        await second.call(fine)

    assert wait_s - 2 < caught.value.retry_in_s <= wait_s
    assert State.OPEN is first.circuit.state(0)


async def test_an_open_circuit_spends_no_budget(guards_of):
    """The source is not asked, and nobody else has less for it."""
    guards = guards_of(4)
    guard = guards.add("bse", "market", "primary")
    for _ in range(3):
        with pytest.raises(ExchangeUnavailable):
            await guard.call(failing(ExchangeUnavailable("timeout", "5 s")))
    for _ in range(5):
        with pytest.raises(NotAsked) as caught:
            await guard.call(fine)
        assert "circuit_open" == caught.value.kind

    other = guards.add("bse", "master", "master")
    assert "answer" == await other.call(fine)
    told = {each.endpoint: each for each in guards.records()}
    assert ("open", 3, "timeout: 5 s") == (
        told["market"].circuit,
        told["market"].failures,
        told["market"].last_error,
    )
    assert ("closed", 0) == (told["master"].circuit, told["master"].answered_ms_ago)


async def test_a_call_that_is_cancelled_leaves_the_probe_to_the_next(guards_of):
    """Shutting down, or a deadline around it."""
    guard = guards_of(9).add("bse", "market", "primary")
    guard.circuit.asked_to_wait(-10_000, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await guard.call(asyncio.Event().wait)

    assert "answer" == await guard.call(fine)
    assert State.CLOSED is guard.circuit.state(0)


@pytest.fixture
def asked_by(redis):
    """A guard with quick retries, and a source behind it that counts its questions: `guard, ask, asked`."""

    def make(error, attempts=3):
        asked = []

        async def at_once(_):
            """No waiting."""

        async def ask():
            asked.append(1)
            raise error

        clock = FakeClock()
        budgets = SourceBudgets(redis, clock, StoreClock(), {"bse": Budget(1, 1000)})
        guards = Guards(
            budgets,
            clock,
            lambda: Circuit(CircuitRules(), lambda: 0.5),
            FetcherMetrics(CollectorRegistry()),
            retries=Retries(attempts, sleep=at_once),
        )
        return guards.add("bse", "market", "primary"), ask, asked

    return make


@pytest.mark.parametrize(("attempts", "tries"), [(1, 3), (2, 3), (3, 4)])
async def test_an_ailing_source_is_asked_a_few_times_and_then_left_alone(
    asked_by, attempts, tries
):
    """Each try counts, whichever call it belongs to: retries do not multiply what opens the circuit."""
    guard, ask, asked = asked_by(ExchangeUnavailable("timeout", "5 s"), attempts)
    for _ in range(10):
        with pytest.raises(ExchangeError):
            await guard.call(ask)

    assert tries == len(asked)
    assert State.OPEN is guard.circuit.state(0)


async def test_a_probe_of_an_open_circuit_is_one_try(asked_by):
    """However many a call may have."""
    guard, ask, asked = asked_by(ExchangeUnavailable("timeout", "5 s"))
    guard.circuit.asked_to_wait(-10_000, 1)
    with pytest.raises(ExchangeUnavailable):
        await guard.call(ask)

    assert 1 == len(asked)


async def test_calls_under_way_stop_trying_when_the_circuit_opens(asked_by):
    """Sixteen batches meet the outage at once: none of them asks again."""
    guard, ask, asked = asked_by(ExchangeUnavailable("timeout", "5 s"))
    all_asked, begun = asyncio.Event(), []

    async def ask_together():
        begun.append(1)
        if len(begun) == 16:
            all_asked.set()
        await all_asked.wait()
        await ask()

    async with asyncio.TaskGroup() as group:
        calls = [
            group.create_task(_error_of(guard.call(ask_together))) for _ in range(16)
        ]

    assert {"timeout"} == {call.result().kind for call in calls}
    # The first two fail before the circuit opens, and may begin a second try.
    assert len(asked) <= 18


async def _error_of(call):
    with pytest.raises(ExchangeError) as caught:
        await call
    return caught.value


async def test_a_budget_is_kept_to_the_millisecond(redis):
    """A wait of half a second is one, too."""
    clock = FakeClock()
    budgets = SourceBudgets(redis, clock, StoreClock(), {"bse": Budget(2, 1)})
    guards = Guards(
        budgets,
        clock,
        lambda: Circuit(CircuitRules(), lambda: 0.5),
        FetcherMetrics(CollectorRegistry()),
    )
    guard = guards.add("bse", "market", "primary")
    assert "answer" == await guard.call(fine)
    with pytest.raises(NotAsked) as caught:
        await guard.call(fine)

    assert 0 < caught.value.retry_in_s <= 0.5
    assert State.CLOSED is guard.circuit.state(0)


async def test_the_state_of_a_circuit_is_a_number_for_graphs(redis):
    """0 closed, 1 half-open, 2 open, as documented."""
    clock, registry = FakeClock(), CollectorRegistry()
    budgets = SourceBudgets(redis, clock, StoreClock(), {"bse": Budget(1, 100)})
    guards = Guards(
        budgets,
        clock,
        lambda: Circuit(CircuitRules(), lambda: 0.5),
        FetcherMetrics(registry),
    )
    guard = guards.add("bse", "market", "primary")
    labels = {"source": "bse", "endpoint": "market"}
    levels = []
    for wait_ms in (0, 0, 3_000):
        clock.advance(wait_ms)
        guards.records()
        levels.append(registry.get_sample_value("fetcher_circuit_state", labels))
        if not wait_ms:
            for _ in range(3):
                guard.circuit.failed(clock.monotonic_ms())

    assert [0, 2, 1] == levels


async def test_a_probe_that_the_budget_refused_is_left_to_the_next(guards_of, redis):
    """Nobody was asked: the circuit must not wait for an outcome for ever."""
    guard = guards_of(1).add("bse", "market", "primary")
    assert "answer" == await guard.call(fine)
    guard.circuit.asked_to_wait(-10_000, 1)
    for _ in range(2):
        with pytest.raises(NotAsked) as caught:
            await guard.call(fine)
        assert "over_budget" == caught.value.kind
    await redis.delete(keys.source_budget("bse"))

    assert "answer" == await guard.call(fine)

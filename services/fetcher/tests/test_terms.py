"""Leases and writers against the real store: one active fetcher, whatever happens to the leases."""

import asyncio
import random

import pytest

from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.position import Position
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable, open_redis
from bse_shared.testing.builders import a_master, a_quote, seen


NOBODY = InstrumentMaster()


def plans_of(terms, last_paise=100_00):
    """One scrip's quote for each shard held: code 8 + shard."""
    return {
        shard: writer.plan_list({8 + shard: seen(a_quote(last_paise))}, 1)
        for shard, writer in terms.writers.items()
    }


async def images_of(terms):
    """The stored last price of each scrip."""
    found = {}
    for shard in range(terms._store.shards):
        for code, image in (await terms._store.snapshot(shard)).images.items():
            found[code] = image.quote.last_paise
    return found


def epochs_of(terms):
    """The epochs of the terms held."""
    return {shard: writer.position.epoch for shard, writer in terms.writers.items()}


async def test_of_two_only_one_becomes_active(redis, terms_of):
    """The first holds the whole market, the other none of it, however often both try."""
    first, second = terms_of(redis, "fetcher-1"), terms_of(redis, "fetcher-2")
    for _ in range(3):
        await first.hold()
        await second.hold()

    assert first.active
    assert {0, 1, 2, 3} == set(first.writers)
    assert not second.active
    assert {} == second.writers
    assert (1, 0) == (first.activations, second.activations)


async def test_two_that_start_together_do_not_share_the_market(redis, terms_of):
    """Who gets the first shard gets all."""
    both = terms_of(redis, "fetcher-1"), terms_of(redis, "fetcher-2")
    for _ in range(3):
        await asyncio.gather(*(terms.hold() for terms in both))

    assert [0, 4] == sorted(len(terms.writers) for terms in both)


async def test_released_terms_are_taken_over_at_once(redis, terms_of):
    """An ordered stop leaves no gap, and the successor starts on what was stored."""
    first, second = terms_of(redis, "fetcher-1"), terms_of(redis, "fetcher-2")
    await first.hold()
    assert 4 == len(await first.commit(plans_of(first), a_master()))
    await first.release()
    await second.hold()

    assert not first.active
    assert second.active
    assert {8 + shard: 100_00 for shard in range(4)} == await images_of(second)
    assert all(8 + shard in writer.images for shard, writer in second.writers.items())


@pytest.mark.parametrize("shard", range(4))
async def test_a_lease_that_is_gone_is_taken_again_in_a_new_term(
    redis, terms_of, shard
):
    """An evicted or expired lease costs one shard its epoch, and the fetcher is active again at once."""
    terms = terms_of(redis)
    await terms.hold()
    before = epochs_of(terms)
    await redis.delete(keys.lease(shard))
    await terms.hold()

    after = epochs_of(terms)
    assert terms.active
    assert 2 == terms.activations
    assert after.pop(shard) > before.pop(shard)
    assert before == after
    assert 4 == len(await terms.commit(plans_of(terms), NOBODY))


async def test_an_expired_lease_is_lost(redis, terms_of):
    """A fetcher that slept beyond its leases gives them up when it wakes."""
    first, second = terms_of(redis, "fetcher-1"), terms_of(redis, "fetcher-2")
    await first.hold()
    for shard in range(4):
        await redis.pexpire(keys.lease(shard), 0)
    await second.hold()
    await first.hold()

    assert second.active
    assert {} == first.writers


async def test_a_store_that_lost_everything_gets_higher_epochs(redis, terms_of):
    """Positions never run backwards, even for a store that begins anew."""
    terms = terms_of(redis)
    await terms.hold()
    before = epochs_of(terms)
    await redis.flushall()
    await terms.hold()

    assert terms.active
    assert all(epoch > before[shard] for shard, epoch in epochs_of(terms).items())


async def test_epochs_are_above_all_that_was_seen(redis, terms_of):
    """Also when the store lost its data, and every clock is behind what was once written."""
    terms = terms_of(redis)
    ahead = 9_000_000_000_000
    await redis.hset(keys.head(2), "epoch", ahead)
    await terms.hold()
    assert ahead + 1 == epochs_of(terms)[2]
    await redis.flushall()
    await terms.hold()

    assert all(epoch > ahead + 1 for epoch in epochs_of(terms).values())


@pytest.mark.parametrize("shard", range(4))
async def test_a_market_in_two_hands_ends_in_one(redis, terms_of, shard):
    """Whoever loses the first shard gives the others back: else nobody would ever poll again."""
    first, second = terms_of(redis, "fetcher-1"), terms_of(redis, "fetcher-2")
    await first.hold()
    await redis.delete(keys.lease(shard))
    for _ in range(3):
        await second.hold()
        await first.hold()

    assert [0, 4] == sorted([len(first.writers), len(second.writers)])
    assert second.active == (shard == 0)


@pytest.mark.parametrize("seed", range(8))
async def test_after_any_trouble_exactly_one_is_active(redis, terms_of, seed):
    """Lost leases, releases and turns in any order: quiet rounds bring back one whole holder."""
    rng = random.Random(seed)
    fetchers = [terms_of(redis, f"fetcher-{number}") for number in range(3)]
    for _ in range(25):
        trouble = rng.random()
        terms = rng.choice(fetchers)
        if trouble < 0.3:
            await redis.delete(keys.lease(rng.randrange(4)))
        elif trouble < 0.4:
            await terms.release()
        elif trouble < 0.5:
            terms.lose(rng.randrange(4), "a test")
        else:
            await asyncio.gather(*(t.hold() for t in rng.sample(fetchers, 2)))
    for _ in range(3):
        for terms in fetchers:
            await terms.hold()

    assert [0, 0, 4] == sorted(len(terms.writers) for terms in fetchers)
    (active,) = (terms for terms in fetchers if terms.active)
    assert 4 == len(await active.commit(plans_of(active), NOBODY))


async def test_a_fenced_commit_ends_its_term_only(redis, terms_of):
    """The refused shard is given up; the others are written."""
    terms = terms_of(redis)
    await terms.hold()
    await redis.set(keys.lease(2), "9999999999999:somebody")
    taken = await terms.commit(plans_of(terms), NOBODY)

    assert 3 == len(taken)
    assert {0, 1, 3} == set(terms.writers)
    assert not terms.active
    assert 10 not in await images_of(terms)
    assert 1 == terms._metrics.fenced._value.get()
    assert 3 == terms._metrics.shards_held._value.get()


async def test_a_store_that_was_rolled_back_is_read_again(redis, terms_of):
    """A writer does not go on where the store no longer is, and needs one round to start anew."""
    terms = terms_of(redis)
    await terms.hold()
    await terms.commit(plans_of(terms, 100_00), NOBODY)
    await redis.hset(keys.head(1), "sequence", 0)
    await redis.delete(keys.quotes(1))
    assert 3 == len(await terms.commit(plans_of(terms, 200_00), NOBODY))
    await terms.hold()

    assert terms.active
    assert {} == terms.writers[1].images
    assert 4 == len(await terms.commit(plans_of(terms, 300_00), NOBODY))
    assert {300_00} == set((await images_of(terms)).values())


async def test_a_commit_in_doubt_ends_all_terms(terms_of, wired):
    """Only the store knows what it took: everything is read again, in new epochs."""
    async with wired() as (client, wire):
        terms = terms_of(client)
        await terms.hold()
        before = epochs_of(terms)
        wire.cut()
        with pytest.raises(StoreUnavailable):
            await terms.commit(plans_of(terms), NOBODY)

        assert {} == terms.writers
        await terms.hold()
        assert terms.active
        assert all(epoch > before[shard] for shard, epoch in epochs_of(terms).items())
        assert 4 == len(await terms.commit(plans_of(terms), NOBODY))


async def test_a_store_that_is_away_takes_no_term_from_us(terms_of, wired):
    """Not being able to renew is not yet a loss: the store's word decides when it is back."""
    async with wired() as (client, wire):
        terms = terms_of(client)
        await terms.hold()
        wire.cut()
        with pytest.raises(StoreUnavailable):
            await terms.hold()

        assert terms.active
        await terms.hold()
        assert 1 == terms.activations


async def test_nobody_is_active_without_a_store(terms_of):
    """An unreachable store is the same error as everywhere."""
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "test") as none:
        terms = terms_of(none)
        with pytest.raises(StoreUnavailable):
            await terms.hold()

        assert not terms.active


async def test_a_take_over_while_a_commit_is_under_way(redis, terms_of, wired):
    """What arrives after the take-over is refused, and the successor's values stand."""
    async with wired() as (client, wire):
        first, second = terms_of(client, "fetcher-1"), terms_of(redis, "fetcher-2")
        await first.hold()
        wire.hold()
        async with asyncio.TaskGroup() as group:
            under_way = group.create_task(first.commit(plans_of(first, 1_00), NOBODY))
            await wire.stopped.wait()
            for shard in range(4):
                await redis.delete(keys.lease(shard))
            await second.hold()
            assert 4 == len(await second.commit(plans_of(second, 2_00), NOBODY))
            wire.let_go()

        assert [] == under_way.result()
        assert {} == first.writers
        assert second.active
        assert {2_00} == set((await images_of(second)).values())
        assert 4 == len(await second.commit(plans_of(second, 3_00), NOBODY))


async def test_our_own_new_term_survives_the_refusal_of_the_old_one(
    redis, terms_of, wired
):
    """A late refusal speaks of a term that is over: the one taken since is kept."""
    async with wired() as (client, wire):
        terms = terms_of(client)
        await terms.hold()
        old = epochs_of(terms)
        wire.hold()
        async with asyncio.TaskGroup() as group:
            under_way = group.create_task(terms.commit(plans_of(terms, 1_00), NOBODY))
            await wire.stopped.wait()
            for shard in range(4):
                await redis.delete(keys.lease(shard))
            await terms.hold()
            new = epochs_of(terms)
            wire.let_go()

        assert [] == under_way.result()
        assert terms.active
        assert new == epochs_of(terms)
        assert all(new[shard] > old[shard] for shard in old)
        assert {} == await images_of(terms)
        assert 4 == len(await terms.commit(plans_of(terms, 2_00), NOBODY))
        assert Position(new[0], 1) == (await terms._store.snapshot(0)).position


@pytest.mark.parametrize("turns", range(0, 60, 6))
async def test_a_commit_that_fails_while_leases_are_taken_leaves_no_half(
    redis, terms_of, wired, turns
):
    """All terms are lost somewhere in the middle of a round; quiet rounds bring them all back."""
    async with wired() as (client, wire):
        terms = terms_of(client)
        await terms.hold()
        wire.hold()
        async with asyncio.TaskGroup() as group:
            under_way = group.create_task(doubtful_commit(terms))
            await wire.stopped.wait()
            await redis.delete(keys.lease(1), keys.lease(3))
            group.create_task(terms.hold())
            for _ in range(turns):
                await asyncio.sleep(0)
            wire.cut()
            await under_way
            assert set(terms.writers) == set(terms._leases)

        for _ in range(2):
            await terms.hold()
        assert terms.active
        assert 4 == len(await terms.commit(plans_of(terms), NOBODY))


async def doubtful_commit(terms):
    """A commit that fails."""
    with pytest.raises(StoreUnavailable):
        await terms.commit(plans_of(terms), NOBODY)


async def test_a_plan_of_a_term_that_ended_is_not_committed(terms_of, redis):
    """Another shard's commit may have failed since it was made; nor is it in a new term of the same shard."""
    terms = terms_of(redis)
    await terms.hold()
    plans = plans_of(terms, 1_00)
    terms.lose_all("a commit is in doubt")
    assert [] == await terms.commit(plans, NOBODY)

    await terms.hold()
    assert [] == await terms.commit(plans, NOBODY)
    positions = [writer.position.sequence for writer in terms.writers.values()]
    assert [0] * terms.shards == positions
    assert terms.shards == len(await terms.commit(plans_of(terms, 1_00), NOBODY))

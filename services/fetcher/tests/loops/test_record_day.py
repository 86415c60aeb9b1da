"""A recorded market played again: the same values in the same order, at any speed."""

import pytest

from bse_fetcher.loops.record_day import Recorder
from bse_fetcher.sources.errors import ExchangeUnavailable
from bse_fetcher.sources.replay.source import ReplaySource
from bse_shared.quotes.quote import Source


POLLS = 12


async def recorded(fetcher, exchange, folder, polls=POLLS):
    """Poll and record; the states that the store went through, without sources."""
    recorder = Recorder(fetcher.core, folder)
    fetcher.publisher.listeners.append(recorder.took)
    states = []
    for number in range(polls):
        await fetcher.poll()
        states.append(await state_of(fetcher))
        exchange.trade()
        if number % 5 == 0:
            await recorder.step()
    await recorder.step()
    (path,) = folder.iterdir()
    return path, states


async def state_of(fetcher):
    """All quotes by scrip code, without their source."""
    held = await fetcher.held()
    return {code: image.quote._replace(source=None) for code, image in held.items()}


async def played(fetcher, path, speed):
    """The states that a fetcher goes through which plays the recording, each once."""
    fetcher.poller.source = ReplaySource(str(path), 0.001, speed)
    states = []
    while not fetcher.poller.source.ended:
        await fetcher.poll()
        state = await state_of(fetcher)
        if not states or states[-1] != state:
            states.append(state)
    return states


async def test_a_recording_plays_the_same_day_again(
    fetching, exchange, redis, tmp_path
):
    """Each state that is shown was there, in the same order, and the last one is the last one."""
    async with fetching() as hire:
        path, states = await recorded(hire("recorder"), exchange, tmp_path)
        for speed in (1, 10, 100_000):
            await redis.flushall()
            player = hire(f"player-{speed}")
            shown = await played(player, path, speed)
            held = await player.held()

            assert shown == [state for state in states if state in shown]
            assert states[-1] == shown[-1]
            assert {Source.REPLAY} == {i.quote.source for i in held.values()}
            assert player.instruments.master.by_code.keys() == held.keys()


async def test_the_same_questions_get_the_same_answers(
    fetching, exchange, redis, tmp_path
):
    """Whatever the clock does between them."""
    async with fetching() as hire:
        path, _ = await recorded(hire("recorder"), exchange, tmp_path)
        plays = []
        for number in range(2):
            await redis.flushall()
            plays.append(await played(hire(f"player-{number}"), path, 7))

        assert plays[0] == plays[1]


async def test_a_recording_that_can_not_be_read_is_an_outage(tmp_path):
    """Not a crash."""
    (tmp_path / "text").write_text("no recording")
    for path in (tmp_path / "text", tmp_path / "none", tmp_path):
        with pytest.raises(ExchangeUnavailable):
            await ReplaySource(str(path), 3, 1).ask_market()


async def test_a_disk_that_fails_does_not_stop_the_market(fetching, exchange, tmp_path):
    """The next chunk that can be written begins with everything that is held."""
    async with fetching() as hire:
        fetcher = hire()
        folder = tmp_path / "days"
        folder.write_text("a file where the folder should be")
        recorder = Recorder(fetcher.core, folder)
        fetcher.publisher.listeners.append(recorder.took)
        await fetcher.poll()
        await recorder.step()
        folder.unlink()
        exchange.trade()
        await fetcher.poll()
        await recorder.step()
        (path,) = folder.iterdir()
        source = ReplaySource(str(path), 3, 1)
        await source.ask_market()

        assert (await fetcher.held()).keys() == source.read().seen.keys()

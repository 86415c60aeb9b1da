"""A recorded market played again: the same values in the same order, at any speed."""

import resource
from contextlib import contextmanager
from dataclasses import replace
from secrets import token_bytes

import pytest

from bse_fetcher.loops.record_day import Recorder
from bse_fetcher.sources.errors import ExchangeUnavailable
from bse_fetcher.sources.replay.source import ReplaySource
from bse_shared.quotes.candles import IST_OFFSET_MS
from bse_shared.quotes.frame import Confirmation, Frame
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote import NUMBER, Source
from bse_shared.testing.builders import RELIANCE, TCS, an_image
from bse_shared.wire.bus import pack_frame, pack_image
from bse_shared.wire.instruments import pack_instruments
from bse_shared.wire.recording import MAGIC, Entry, EntryKind, pack_chunk


POLLS = 12
SHARDS = 4


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


async def frames_played(player, path, speed, polls):
    """All that is published when a recording is played, as bytes, without what the store's clock says of it."""
    player.poller.source = ReplaySource(str(path), 3, speed)
    told = []

    def took(plan):
        frame = plan.frame
        changes = [
            change._replace(previous=change.previous._replace(epoch=0))
            for change in frame.changes
        ]
        timeless = replace(
            frame,
            position=frame.position._replace(epoch=0),
            received_at_ms=0,
            confirmation=frame.confirmation._replace(at_ms=0),
            changes=tuple(changes),
        )
        told.append(pack_frame(timeless))

    player.publisher.listeners.append(took)
    for _ in range(polls):
        await player.poll()
    return told


@pytest.mark.parametrize("speed", [1, 60, 2500])
async def test_two_plays_publish_the_same_bytes(
    fetching, exchange, redis, tmp_path, speed
):
    """At any speed, for as many polls, with the end or without it."""
    async with fetching() as hire:
        path, _ = await recorded(hire("recorder"), exchange, tmp_path)
        plays = []
        for number in range(2):
            await redis.flushall()
            plays.append(await frames_played(hire(f"player-{number}"), path, speed, 5))

        assert plays[0] == plays[1]
        assert 5 * SHARDS == len(plays[0])
        assert len(set(plays[0])) == len(plays[0])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"no recording", "no recording"),
        (b"bse-recording 7\n", "version 7"),
        (MAGIC + b"\0\0\0\5abcde", "damaged"),
        (MAGIC + b"\xff\xff\xff\xff", "damaged"),
        (MAGIC + pack_chunk([Entry(EntryKind.FRAME, b"?")]), ""),
        (MAGIC + pack_chunk([Entry(EntryKind.IMAGE, b"\x93")]), ""),
        (MAGIC + pack_chunk([Entry(EntryKind.INSTRUMENTS, b"\xc1")]), ""),
    ],
)
async def test_a_recording_that_can_not_be_read_is_an_outage(tmp_path, content, why):
    """Not a crash, and it is told why; at each poll anew."""
    path = tmp_path / "day.bserec"
    path.write_bytes(content)
    source = ReplaySource(str(path), 3, 1)
    for _ in range(2):
        with pytest.raises(ExchangeUnavailable, match=f"recording: .*{why}"):
            await source.ask_market()


async def test_a_recording_that_is_not_there_is_an_outage(tmp_path):
    """Nor is a folder one."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ExchangeUnavailable, match="recording: "):
            await ReplaySource(str(path), 3, 1).ask_market()


async def test_a_recording_that_was_cut_plays_up_to_there(fetching, exchange, tmp_path):
    """Its recorder died in the middle of a chunk."""
    async with fetching() as hire:
        path, states = await recorded(hire("recorder"), exchange, tmp_path)
        path.write_bytes(path.read_bytes()[:-10])
        source = ReplaySource(str(path), 3, 100_000)
        for _ in range(2):
            await source.ask_market()

        assert source.ended
        assert set(states[0]) == set(source.read().seen)


async def test_each_day_has_a_file_that_plays_by_itself(fetching, exchange, tmp_path):
    """Midnight is India's; what waited then belongs to the day before."""
    async with fetching() as hire:
        fetcher = hire()
        recorder = Recorder(fetcher.core, tmp_path)
        fetcher.publisher.listeners.append(recorder.took)
        day_ms = 86_400_000
        noon = fetcher.clock.wall_ms()
        midnight = (noon + IST_OFFSET_MS) // day_ms * day_ms + day_ms - IST_OFFSET_MS
        for at_ms in (midnight - 1, midnight, midnight + 3000):
            fetcher.clock._wall_ms = at_ms
            await fetcher.poll()
            fetcher.clock._wall_ms = at_ms
            await recorder.step()
            exchange.trade()
        names = sorted(path.name for path in tmp_path.iterdir())
        assert ["2026-11-22-a.bserec", "2026-11-23-a.bserec"] == [
            name.replace(fetcher.holder, "a") for name in names
        ]

        source = ReplaySource(str(tmp_path / names[1]), 3, 100_000)
        for _ in range(2):
            await source.ask_market()
        held = await fetcher.held()
        answer = source.read()
        assert held.keys() == answer.seen.keys() == answer.instruments.keys()
        last = {code: fields[0] for code, fields in answer.seen.items()}
        assert {c: i.quote.last_paise for c, i in held.items()} == last
        sources = {fields[NUMBER["source"]] for fields in answer.seen.values()}
        assert {Source.REPLAY} == sources


async def test_a_name_is_told_once_and_only_of_what_is_quoted(tmp_path):
    """To a fetcher that becomes active, again."""
    path = tmp_path / "day.bserec"
    image = pack_image(RELIANCE.code, an_image(epoch=1, sequence=1))
    frame = Frame(0, Position(1, 2), 7, Confirmation(7, True, ()), ())
    entries = [
        Entry(EntryKind.INSTRUMENTS, pack_instruments([RELIANCE, TCS])),
        Entry(EntryKind.IMAGE, image),
        Entry(EntryKind.FRAME, pack_frame(frame)),
    ]
    path.write_bytes(MAGIC + pack_chunk(entries))
    source = ReplaySource(str(path), 3, 1)
    await source.ask_market()
    answers = [source.read() for _ in range(2)]
    source.forget()
    answers.append(source.read())

    assert [[RELIANCE.code], [], [RELIANCE.code]] == [
        list(answer.instruments) for answer in answers
    ]
    assert [{RELIANCE.code}] * 3 == [set(answer.seen) for answer in answers]
    assert Source.REPLAY == answers[0].seen[RELIANCE.code][NUMBER["source"]]


async def test_what_is_left_of_half_a_chunk_is_cut_off(fetching, tmp_path):
    """Also where the next chunk is shorter."""
    async with fetching() as hire:
        fetcher = hire()
        recorder = Recorder(fetcher.core, tmp_path)
        fetcher.publisher.listeners.append(recorder.took)
        half = pack_chunk([Entry(EntryKind.FRAME, token_bytes(200_000))])[:-1]
        recorder._page().write_bytes(MAGIC + half)
        await fetcher.poll()
        await recorder.step()
        (path,) = tmp_path.iterdir()

        assert path.stat().st_size < len(half)
        source = ReplaySource(str(path), 3, 1)
        await source.ask_market()
        assert (await fetcher.held()).keys() == source.read().seen.keys()


async def test_who_comes_back_goes_on_behind_the_last_whole_chunk(
    fetching, exchange, tmp_path
):
    """In a container a restart has the same name: half a chunk would make the rest of the day unreadable."""
    async with fetching() as hire:
        path, _ = await recorded(hire("recorder"), exchange, tmp_path)
        path.write_bytes(path.read_bytes()[:-10])
        again, more = await recorded(hire("recorder"), exchange, tmp_path)
        assert path == again

        source = ReplaySource(str(path), 3, 100_000)
        for _ in range(2):
            await source.ask_market()
        seen = source.read().seen
        assert {c: q.last_paise for c, q in more[-1].items()} == {
            code: fields[0] for code, fields in seen.items()
        }


@contextmanager
def files_no_longer_than(limit):
    """A disk that is full after so many bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_fills_up_costs_a_hole_and_no_more(
    fetching, exchange, tmp_path
):
    """Half a chunk is cut off again; what is recorded later can be played, names included."""
    async with fetching() as hire:
        fetcher = hire()
        recorder = Recorder(fetcher.core, tmp_path)
        fetcher.publisher.listeners.append(recorder.took)
        await fetcher.poll()
        await recorder.step()
        (path,) = tmp_path.iterdir()
        for _ in range(2):
            exchange.trade()
            await fetcher.poll()
            with files_no_longer_than(path.stat().st_size + 100):
                await recorder.step()
        exchange.trade()
        await fetcher.poll()
        await recorder.step()

        source = ReplaySource(str(path), 3, 100_000)
        for _ in range(2):
            await source.ask_market()
        seen = source.read().seen
        held = await fetcher.held()
        assert {c: i.quote.last_paise for c, i in held.items()} == {
            code: fields[0] for code, fields in seen.items()
        }


async def test_a_file_of_another_kind_is_left_alone(fetching, tmp_path):
    """Whatever stands there under the day's name is somebody's."""
    async with fetching() as hire:
        fetcher = hire()
        recorder = Recorder(fetcher.core, tmp_path)
        fetcher.publisher.listeners.append(recorder.took)
        path = recorder._page()
        path.write_bytes(b"a letter to a friend")
        await fetcher.poll()
        await recorder.step()

        assert b"a letter to a friend" == path.read_bytes()


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

        answer = source.read()
        held = await fetcher.held()
        assert held.keys() == answer.seen.keys() == answer.instruments.keys()

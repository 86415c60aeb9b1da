"""Stored sets: at most once a second, always the last state."""

import asyncio

import pytest

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.testing.fake_clock import FakeClock
from bse_ws_hub.encodings.json_codec import JsonCodec
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.hub.wants import Want
from bse_ws_hub.set_writer import SetWriter


class StoreTime:
    """What the writer reads of a follower."""

    def now_ms(self):
        """The store's time."""
        return 7


class Counting(Subscriptions):
    """The real one, which counts, and can be cut off."""

    def __init__(self, redis):
        super().__init__(redis)
        self.saved = 0
        self.away = False

    async def save(self, record):
        """Store, unless cut off."""
        if self.away:
            raise StoreUnavailable("cut off")
        await super().save(record)
        self.saved += 1


@pytest.fixture
def clock():
    """The clock."""
    return FakeClock()


@pytest.fixture
def store(redis):
    """The store."""
    return Counting(redis)


@pytest.fixture
def writer(store, clock):
    """The writer."""
    return SetWriter(store, StoreTime(), clock)


def a_session(*codes):
    """A client with a client id that wants these scrips."""
    session = Session("s1", JsonCodec(), None, client_id="desk")
    session.wants = {code: Want(1) for code in codes}
    return session


async def test_the_first_change_at_once_and_the_last_of_many_a_second_later(
    writer, store, clock
):
    """A client that changes its set in a loop costs one write a second."""
    session = a_session(1)
    for code in range(2, 100):
        writer.changed(session)
        await writer.step()
        session.wants[code] = Want(1)
        clock.advance(5)
    writer.changed(session)
    assert 1 == store.saved
    clock.advance(1000)
    await writer.step()

    assert (2, False) == (store.saved, writer.is_pending("desk"))
    assert list(range(1, 100)) == (await writer.load("desk")).codes


async def test_who_leaves_is_stored_at_once(writer, store):
    """A return to another hub finds the last state."""
    session = a_session(1)
    writer.changed(session)
    await writer.step()
    session.wants = {2: Want(1)}
    writer.changed(session)
    await writer.step()
    assert 1 == store.saved
    writer.gone(session)
    await writer.step()
    assert [2] == (await writer.load("desk")).codes


async def test_the_end_and_the_loop_may_store_at_the_same_time(writer, store):
    """Each set once; neither stumbles over what the other has done."""
    writer.changed(a_session(1))
    await asyncio.gather(writer.load("other"), writer.step(), writer.finish())

    assert (1, False) == (store.saved, writer.is_pending("desk"))


async def test_nothing_is_lost_while_the_store_is_away(writer, store, clock):
    """It is tried again, with the state of then; at the end of the process at once."""
    session = a_session(1)
    store.away = True
    writer.changed(session)
    with pytest.raises(StoreUnavailable):
        await writer.step()
    assert writer.is_pending("desk")
    session.wants = {2: Want(1)}
    store.away = False
    await writer.step()
    assert 0 == store.saved
    clock.advance(1000)
    await writer.step()
    assert [2] == (await writer.load("desk")).codes

    session.wants = {3: Want(1)}
    writer.changed(session)
    await writer.finish()
    assert [3] == (await writer.load("desk")).codes


async def test_who_has_no_client_id_is_not_stored(writer, store):
    """There is no name to store it under."""
    session = a_session(1)
    session.client_id = ""
    writer.changed(session)
    await writer.finish()
    assert 0 == store.saved

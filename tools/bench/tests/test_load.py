"""The load generator counts exactly what a real little server sends."""

import json
import os

import pytest

from bse_bench.load import HUB_MSGPACK, PLAIN, hub_subscribe, load
from bse_bench.subjects import PAYLOAD_BYTES, c_floor
from bse_bench.toolchain import Missing, c_program


CLIENTS = 20


@pytest.fixture
def floor():
    """The bare send() server."""
    try:
        c_program("load")
    except Missing as missing:
        (pytest.fail if "CI" in os.environ else pytest.skip)(str(missing))
    with c_floor() as subject:
        yield subject


def test_every_frame_is_counted_once_with_its_bytes(floor):
    """Messages, frames and bytes agree, and each client gets the same number."""
    with load(floor.port, PLAIN, CLIENTS) as clients:
        floor.source.ask("go 200 0 x")
        messages = size = 0
        while messages < 5 * CLIENTS:
            counts = clients.mark()
            messages += counts.messages
            size += counts.bytes
        floor.source.ask("pause")
        assert size == messages * PAYLOAD_BYTES
        assert counts.closed == 0


def test_the_floor_uses_cpu_only_while_it_ticks(floor):
    """The accounting of the operating system sees the server's work."""
    before = floor.server.cpu_s()
    with load(floor.port, PLAIN, CLIENTS) as clients:
        floor.source.ask("go 500 0 x")
        while clients.mark().messages == 0:
            pass
    assert floor.server.cpu_s() > before


def test_the_subscribe_command_of_the_raw_door_is_what_the_hub_takes():
    """MessagePack with the protocol's members."""
    from bse_ws_hub.hub.commands import command_from_msgpack

    command = command_from_msgpack(hub_subscribe(HUB_MSGPACK, ["RELIANCE"], "ltp"))
    assert json.dumps(command.symbols) == '["RELIANCE"]'

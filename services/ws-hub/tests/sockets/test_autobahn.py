"""RFC 6455 conformance: the Autobahn cases, driven by kosoku, against an echo behind DirectProtocol."""

import asyncio
import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

from bse_ws_hub.sockets.direct_protocol import DirectProtocol


FAILING = {
    "7.1.5": "a close inside a fragmented message is answered with 1002 by `websockets`, on purpose"
}
"""Case to the reason why we fail it on purpose."""

# 9: megabytes and their speed; 12, 13: permessage-deflate, which is off.
LEFT_OUT = ("9.*", "12.*", "13.*")

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("kosoku") is None and "CI" not in os.environ,
        reason="kosoku (the Autobahn cases) is not installed",
    ),
    pytest.mark.timeout(90),
]


class ByTheBook(DirectProtocol):
    """Without our policy against crumbs: the RFC allows any number of fragments of any length."""

    fragments_max = 1_000_000
    fragment_bytes_min = 0


async def echo(scope, receive, send):
    """Send back what comes."""
    assert "websocket" == scope["type"]
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


async def test_the_core_cases_pass(listening, tmp_path):
    """Framing, pings, reserved bits, opcodes, fragmentation, UTF-8, closing, limits: none fails."""
    options = {
        "ws": ByTheBook,
        "ws_max_size": 1 << 20,
        "ws_per_message_deflate": False,
    }
    excluded = [part for case in LEFT_OUT for part in ("-x", case)]
    async with listening(echo, **options) as (_, port):
        kosoku = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).with_name("kosoku")), "-p", "2", *excluded),
            *("-o", str(tmp_path), f"127.0.0.1:{port}"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(60):
            await kosoku.wait()
    (cases,) = json.loads((tmp_path / "index.json").read_text()).values()
    failed = {
        case: found
        for case, found in cases.items()
        if found["behavior"] == "FAILED"
        or found["behaviorClose"] not in {"OK", "INFORMATIONAL"}
    }

    assert len(cases) > 200
    assert FAILING.keys() == failed.keys(), failed

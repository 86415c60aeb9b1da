"""What the tests share: a scripted hub, time in our hand, and streams that wait for nothing."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bse_client import Backoff, QuoteStream
from bse_client.testing import ManualTiming, ScriptedHub


VECTORS = Path(__file__).parents[3] / "contracts" / "wire_vectors.json"


@pytest.fixture(scope="session")
def vectors() -> Any:
    """The content of contracts/wire_vectors.json."""
    return json.loads(VECTORS.read_text(encoding="utf-8"))


@pytest.fixture
def timing() -> ManualTiming:
    """Time that only the test moves."""
    return ManualTiming()


@pytest.fixture
async def hub() -> AsyncIterator[ScriptedHub]:
    """A hub that welcomes everybody."""
    async with ScriptedHub() as hub:
        yield hub


@pytest.fixture
def open_stream(hub: ScriptedHub, timing: ManualTiming) -> Callable[..., QuoteStream]:
    """Makes streams to the hub that come back at once."""

    def make(**options: Any) -> QuoteStream:
        common = {"timing": timing, "backoff": Backoff(0, 0), "url": hub.url}
        options = common | {"digest": False} | options
        return QuoteStream(**options)

    return make

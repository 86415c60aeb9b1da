"""How the tests of this room probe."""

import pytest

from bse_monitor.watch.service_probes import open_probes
from bse_shared.testing.fake_clock import FakeClock


PATIENCE_S = 5.0


@pytest.fixture
def clock():
    """The clock that times the probes."""
    return FakeClock()


@pytest.fixture
async def ask(clock):
    """Probes one address."""

    async def probe(url, deadline_s=PATIENCE_S):
        async with open_probes(clock, deadline_s, 4) as probes:
            return (await probes.ask([url]))[url]

    return probe

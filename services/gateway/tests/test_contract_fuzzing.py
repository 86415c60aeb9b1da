"""The contract against the running service: what a stranger would send by reading contracts/openapi.json."""

import asyncio
import json
import sys

import pytest

from bse_gateway.settings import RestSettings
from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.testing.builders import INFY, RELIANCE, TCS, a_quote


SEED, CASES_A_ROUTE = 1, 20
WITHIN_S = 150


@pytest.mark.timeout(WITHIN_S + 10)
async def test_nothing_that_the_contract_allows_or_forbids_breaks_it(
    make_door, market, serving, tmp_path
):
    """No 5xx, no undocumented status, header or member; what it forbids is refused, what it allows is not."""
    market.instruments = InstrumentMaster(
        [RELIANCE._replace(indices="SENSEX"), TCS, INFY], version=2
    )
    market.report({RELIANCE.code: a_quote(), TCS.code: a_quote(301_000)})
    door = await make_door(
        rest=RestSettings(),
        mode="required",
        failures_per_minute=1_000_000,
        token_requests_per_minute=1_000_000,
    )
    contract = tmp_path / "openapi.json"
    contract.write_text(json.dumps(door.app.openapi()))
    shown = ["-H", f"X-API-Key: {await door.key('admin')}"]
    async with serving(door) as port:
        tester = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "schemathesis.cli", "run", str(contract)),
            *("--url", f"http://127.0.0.1:{port}", *shown),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing"),
            *("-n", str(CASES_A_ROUTE), "--seed", str(SEED), "--no-shrink"),
            *("--warnings", "off", "--request-timeout", "10"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(WITHIN_S):
                told, _ = await tester.communicate()
        finally:
            if tester.returncode is None:
                tester.kill()
                await tester.wait()
    assert 0 == tester.returncode, told.decode()

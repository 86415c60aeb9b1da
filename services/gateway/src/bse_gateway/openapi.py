"""`python -m bse_gateway.openapi > contracts/openapi.json`: the public contract, written from the code.

Assembles the real service; nothing connects until a loop runs.
"""

import asyncio
import json
import sys
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry

from bse_gateway.assembly import assemble
from bse_gateway.settings import GatewaySettings, RestSettings
from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.service.health import Health
from bse_shared.service.probes import probe_routes
from bse_shared.service.runner import Shell
from bse_shared.service.settings import HttpSettings, MarketSettings, ProcessSettings
from bse_shared.service.system_clock import SystemClock


async def contract_text() -> str:
    """The file's content."""
    return json.dumps(await _contract(), indent=2) + "\n"


async def _contract() -> dict[str, Any]:
    clock = SystemClock()
    shell = Shell(
        service="gateway",
        instance="contract",
        url="",
        version=version("bse-shared"),
        clock=clock,
        registry=CollectorRegistry(),
        health=Health(clock),
    )
    settings = GatewaySettings(
        HttpSettings(),
        ProcessSettings(),
        MarketSettings(),
        RedisSettings(),
        RestSettings(),
    )
    async with assemble(settings, shell) as service:
        probes = probe_routes(shell.health, shell.registry, {}, service.detail)
        service.app.include_router(probes)
        return service.app.openapi()


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(contract_text()))

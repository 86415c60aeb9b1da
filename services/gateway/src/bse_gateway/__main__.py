"""`python -m bse_gateway`: the REST service."""

from bse_gateway.assembly import assemble
from bse_gateway.settings import GatewaySettings
from bse_shared.service.runner import run_service


if __name__ == "__main__":
    run_service(
        "gateway",
        GatewaySettings,
        assemble,
        "Answers REST requests for quotes from memory.",
    )

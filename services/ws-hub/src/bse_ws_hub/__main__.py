"""Starts the hub."""

from bse_shared.service.runner import run_service
from bse_ws_hub.assembly import assemble
from bse_ws_hub.settings import WsHubSettings


def main() -> None:
    """Run until a signal."""
    run_service(
        "ws-hub",
        WsHubSettings,
        assemble,
        "Fans quote deltas out over WebSocket, Socket.IO and SSE. Stateless: run any number.",
    )


if __name__ == "__main__":
    main()

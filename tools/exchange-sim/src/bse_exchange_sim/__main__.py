"""Starts the simulator: `python -m bse_exchange_sim`."""

import argparse
import asyncio
import signal
import socket
import sys

import structlog
import uvloop
from pydantic import ValidationError

from bse_exchange_sim.app import create_app, create_simulator
from bse_exchange_sim.load import UnreadableFileError, load_universe
from bse_exchange_sim.server import Server, listen
from bse_exchange_sim.settings import Settings, describe_settings, environment_name


_BAD_SETTINGS = 2
_SHOWN_BAD_ROWS = 5
_ENDING = (signal.SIGINT, signal.SIGTERM)

_log = structlog.get_logger()


def _parse_arguments() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bse_exchange_sim",
        description="A stand-in for the exchange's web API, with faults on request.",
        epilog="environment settings:\n" + describe_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()


def _log_lines() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"]
            ),
        ],
    )


def _prepare() -> tuple[Server, socket.socket]:
    settings = Settings()
    universe = load_universe(settings)
    listener = listen(settings.host, settings.port)
    for row in universe.bad_rows[:_SHOWN_BAD_ROWS]:
        _log.warning("sim.bad_row", line=row.line, scrip=row.code, problem=row.problem)
    app = create_app(settings, create_simulator(settings, universe))
    host, port = listener.getsockname()[:2]
    _log.info(
        "sim.started",
        host=host,
        port=port,
        mode=settings.mode.value,
        activity=settings.activity.value,
        source=universe.source,
        scrips=len(universe.listings),
        bad_rows=len(universe.bad_rows),
    )
    return Server(app), listener


async def _run() -> None:
    server, listener = _prepare()
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        loop.add_signal_handler(number, server.stop)
    await server.serve(sockets=[listener])
    _log.info("sim.stopped")


def _complaint(error: ValidationError) -> str:
    parts = []
    for each in error.errors():
        where = ".".join(environment_name(str(part)) for part in each["loc"])
        parts.append(f"{where}: {each['msg']}" if where else each["msg"])
    return "; ".join(parts)


def main() -> int:
    """Run until a signal; return the exit code."""
    _parse_arguments()
    _log_lines()
    for number in _ENDING:
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        uvloop.run(_run())
    except ValidationError as error:
        print(f"bse_exchange_sim: {_complaint(error)}", file=sys.stderr)
        return _BAD_SETTINGS
    except (UnreadableFileError, OSError) as error:
        print(f"bse_exchange_sim: {error}", file=sys.stderr)
        return _BAD_SETTINGS
    return 0


if __name__ == "__main__":
    sys.exit(main())

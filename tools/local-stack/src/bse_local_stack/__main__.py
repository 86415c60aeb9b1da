"""`python -m bse_local_stack run | smoke`."""

import argparse
import sys

from bse_local_stack.redis_server import NoRedisServer
from bse_local_stack.run import run
from bse_local_stack.smoke import smoke
from bse_local_stack.stack import PORTS, CannotStart


def main() -> int:
    """Run the command; the exit code."""
    variables = "\n".join(
        f"  {name}={port}  {what}" for what, (name, port) in PORTS.items()
    )
    parser = argparse.ArgumentParser(
        prog="bse_local_stack",
        description="The whole product on one machine.",
        epilog=(
            f"Environment:\n{variables}\n"
            "  RUN_HOST=127.0.0.1  address to listen on\n"
            "  SOURCE=sim|bse      where quotes come from\n"
            "  REDIS_URL           use this server instead of an embedded one\n"
            "  SPEED, BHAVCOPY     see `python -m bse_exchange_sim --help`\n"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["run", "smoke"])
    chosen = parser.parse_args().command
    try:
        return run() if chosen == "run" else smoke()
    except (CannotStart, NoRedisServer) as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())

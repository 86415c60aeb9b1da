"""`python -m bse_bench NAME | all [--quick]`."""

import argparse
import sys
from collections.abc import Callable

from bse_bench import fetcher, gateway
from bse_bench.fanout import run as fanout


BENCHES: dict[str, Callable[[bool], bool]] = {
    "fetcher": lambda _quick: fetcher.main(),
    "fanout": lambda quick: fanout.main(quick=quick),
    "gateway": lambda quick: gateway.main(quick=quick),
}


def main() -> int:
    """Run one benchmark or all; 1 if a bound was missed."""
    parser = argparse.ArgumentParser(prog="bse_bench", description=__doc__)
    parser.add_argument("name", choices=[*BENCHES, "all"])
    parser.add_argument("--quick", action="store_true", help="shorter and rougher")
    asked = parser.parse_args()
    names = list(BENCHES) if asked.name == "all" else [asked.name]
    kept = [BENCHES[name](asked.quick) for name in names]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())

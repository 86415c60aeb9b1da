"""`python -m bse_bench NAME | all`."""

import argparse
import sys

from bse_bench import fetcher


BENCHES = {"fetcher": fetcher.main}


def main() -> int:
    """Run one benchmark or all; 1 if a bound was missed."""
    parser = argparse.ArgumentParser(prog="bse_bench", description=__doc__)
    parser.add_argument("name", choices=[*BENCHES, "all"])
    name = parser.parse_args().name
    chosen = BENCHES if name == "all" else {name: BENCHES[name]}
    return 0 if all(bench() for bench in chosen.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

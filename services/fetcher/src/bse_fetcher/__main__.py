"""Starts the fetcher."""

from bse_fetcher.assembly import assemble
from bse_fetcher.settings import FetcherSettings
from bse_shared.service.runner import run_service


def main() -> None:
    """Run until a signal."""
    run_service(
        "fetcher",
        FetcherSettings,
        assemble,
        "Polls the exchange and is the only writer of market state. Start two: one polls, one stands by.",
    )


if __name__ == "__main__":
    main()

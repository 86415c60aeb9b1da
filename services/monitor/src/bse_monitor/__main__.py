"""Starts the monitor."""

from bse_monitor.assembly import assemble
from bse_monitor.settings import MonitorSettings
from bse_shared.service.runner import run_service


def main() -> None:
    """Run until a signal."""
    run_service(
        "monitor",
        MonitorSettings,
        assemble,
        "Finds all instances, judges whether the platform is well, and says why not.",
    )


if __name__ == "__main__":
    main()

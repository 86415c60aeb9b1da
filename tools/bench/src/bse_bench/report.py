"""How a benchmark tells its results: a table for people, `bench/results/NAME.json` for the record."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


RESULTS = Path("bench/results")


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing. `must` is the bound in words, `holds` whether it was kept (None: no bound).

    No value: it could not be measured, and `must` says why.
    """

    what: str
    value: float | None
    unit: str
    must: str = ""
    holds: bool | None = None


def at_most(what: str, value: float, unit: str, bound: float) -> Row:
    """A row with an upper bound."""
    return Row(what, value, unit, f"<= {bound:g}", value <= bound)


def at_least(what: str, value: float, unit: str, bound: float) -> Row:
    """A row with a lower bound."""
    return Row(what, value, unit, f">= {bound:,g}", value >= bound)


def below(what: str, value: float, unit: str, bound: float) -> Row:
    """A row that must stay under a bound."""
    return Row(what, value, unit, f"< {bound:g}", value < bound)


def absent(what: str, why: str) -> Row:
    """A row for what could not be measured here."""
    return Row(what, None, "", f"not measured: {why}")


def percentile(values: list[float], percent: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    rank = max(0, -(-len(ordered) * percent // 100) - 1)
    return ordered[int(rank)]


def tell(name: str, rows: list[Row], notes: list[str]) -> bool:
    """Print the table, write the file; whether every bound was kept."""
    print(f"\n{name}")
    width = max(len(row.what) for row in rows)
    for row in rows:
        verdict = "" if row.holds is None else ("  ok" if row.holds else "  MISSED")
        value = f"{'-':>12}" if row.value is None else f"{row.value:>12,.2f}"
        print(f"  {row.what:<{width}}  {value} {row.unit:<10} {row.must}{verdict}")
    for note in notes:
        print(f"  {note}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = {
        "bench": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - a record's date
        "commit": _commit(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "rows": [asdict(row) for row in rows],
        "notes": notes,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    return all(row.holds is not False for row in rows)


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git there is
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"

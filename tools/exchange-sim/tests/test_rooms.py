"""The pure rooms stay pure."""

import ast
from pathlib import Path

import pytest

import bse_exchange_sim


SOURCE = Path(bse_exchange_sim.__file__).parent
FORBIDDEN = {
    "asyncio",
    "time",
    "os",
    "socket",
    "logging",
    "structlog",
    "fastapi",
    "starlette",
    "uvicorn",
    "pydantic_settings",
}
PURE = sorted(
    path.relative_to(SOURCE).as_posix()
    for path in (
        *(
            p
            for room in ("universe", "paths", "answers", "faults")
            for p in SOURCE.glob(f"{room}/*.py")
        ),
        *(SOURCE / name for name in ("market_clock.py", "exchange.py", "headers.py")),
    )
)


@pytest.mark.parametrize("file", PURE)
def test_pure_room_knows_no_outside(file: str) -> None:
    """No pure file imports a clock, a socket, a logger or the web."""
    imported = set()
    for node in ast.walk(ast.parse((SOURCE / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert imported & FORBIDDEN == set()

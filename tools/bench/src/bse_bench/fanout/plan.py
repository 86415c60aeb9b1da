"""How much is measured: a full run within six minutes, or a quick one within 90 seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of a run."""

    rounds: int
    seconds: float
    idle_seconds: float
    idle_clients: int
    many_clients_hz: tuple[float, ...]
    day_hours: float
    slow_reader: bool
    raw_json: bool


FULL = Plan(
    rounds=3,
    seconds=2.5,
    idle_seconds=2.0,
    idle_clients=5000,
    many_clients_hz=(2, 3, 4, 5, 6),
    day_hours=6.25,
    slow_reader=True,
    raw_json=True,
)
QUICK = Plan(
    rounds=1,
    seconds=1.0,
    idle_seconds=1.0,
    idle_clients=1000,
    many_clients_hz=(),
    day_hours=0.5,
    slow_reader=False,
    raw_json=False,
)

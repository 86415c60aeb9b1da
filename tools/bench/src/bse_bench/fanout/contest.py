"""Several servers with a thousand clients each, measured in turns, so that all see the same machine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from bse_bench.fanout.plan import Plan
from bse_bench.load import HUB_JSON, Door, Load, load
from bse_bench.processes import Unfit
from bse_bench.report import Row, absent
from bse_bench.subjects import Subject, Window, ticking, window
from bse_bench.toolchain import Missing
from bse_local_stack.redis_server import NoRedisServer


CLIENTS = 1000


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, the door that its clients use, what they send, and how many ticks a second it gets."""

    name: str
    start: Callable[[], AbstractContextManager[Subject]]
    door: Door
    messages: Sequence[bytes]
    hz: float


@dataclass(slots=True)
class Result:
    """What a contender used: `idle_windows` without ticks, `windows` with them."""

    contender: Contender
    per: str
    idle_windows: list[Window] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)

    @property
    def idle_core(self) -> float:
        """Cores used without any tick. Best round, so that too little rather than too much is taken off."""
        return min(w.core for w in self.idle_windows)

    @property
    def gross_us(self) -> float:
        """All CPU per unit delivered. Best round."""
        return min(w.cpu_s / self._units(w) for w in self.windows) * 1e6

    @property
    def net_us(self) -> float:
        """The same less what the server uses without any tick."""
        return 1e6 * min(
            (w.cpu_s - self.idle_core * w.seconds) / self._units(w)
            for w in self.windows
        )

    @property
    def p99_ms(self) -> float | None:
        """The median round's p99 from the publisher's stamp to the client, where messages have a stamp."""
        found = sorted(w.counts.latency_ms.get("p99", 0) for w in self.windows)
        return found[len(found) // 2] or None

    def _units(self, measured: Window) -> int:
        counts = measured.counts
        # A room's message is one symbol update.
        units = (counts.rows if self.per == "row" else 0) or counts.messages
        if not units:
            raise Unfit(f"the clients of {self.contender.name} got nothing")
        return units


def contest(
    contenders: Sequence[Contender], plan: Plan, *, changed: int = 0, per: str = "row"
) -> tuple[dict[str, Result], list[Row]]:
    """The results by name, and a row for each contender that could not be had.

    The unit of cost: a `message`, or a `row` in it (a symbol update).
    """
    missing: list[Row] = []
    with ExitStack() as stack:
        chosen = [c for c in contenders if plan.raw_json or c.door is not HUB_JSON]
        running = list(_started(chosen, stack, missing))
        results = [Result(contender, per) for contender, _, _ in running]
        for _ in range(plan.rounds):
            for (contender, subject, clients), result in zip(
                running, results, strict=True
            ):
                result.idle_windows.append(window(subject, clients, plan.idle_seconds))
                result.windows.append(
                    ticking(
                        subject, clients, contender.hz, plan.seconds, changed=changed
                    )
                )
    return {result.contender.name: result for result in results}, missing


def _started(
    contenders: Sequence[Contender], stack: ExitStack, missing: list[Row]
) -> Iterator[tuple[Contender, Subject, Load]]:
    for contender in contenders:
        try:
            subject = stack.enter_context(contender.start())
            clients = stack.enter_context(
                load(subject.port, contender.door, CLIENTS, contender.messages)
            )
        except (Missing, NoRedisServer, Unfit) as error:
            missing.append(absent(contender.name, str(error)))
        else:
            yield contender, subject, clients

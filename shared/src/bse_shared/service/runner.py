"""The one shell of all services: settings, logs, probes, loops, heartbeat, HTTP server, ordered shutdown.

Order at the end: not ready, wait for the balancers, drain clients, stop the server, cancel the loops, close
what `assemble` opened (Redis last). A second signal, or the deadline, ends it at once.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Protocol, TypeVar

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Info
from prometheus_client.process_collector import ProcessCollector

from bse_shared.service.garbage import calm_garbage_collector
from bse_shared.service.health import Health
from bse_shared.service.log_setup import set_up_logs
from bse_shared.service.loops import Loop, LoopMetrics, run_loop
from bse_shared.service.probes import probe_routes
from bse_shared.service.settings import HttpSettings, ProcessSettings, load_settings
from bse_shared.service.system_clock import SystemClock


log = structlog.get_logger()

BACKLOG = 4096
"""The default of 100 adds a second to a reconnect storm (SYN retransmits)."""


REQUESTS_END_WITHIN_S = 3
"""A long poll whose client is gone would hold the shutdown until its ping time-out."""


@dataclass(frozen=True, slots=True)
class Shell:
    """What the runner gives to `assemble`."""

    service: str
    instance: str
    url: str
    version: str
    clock: SystemClock
    registry: CollectorRegistry
    health: Health


@dataclass(frozen=True, slots=True)
class Service:
    """What `assemble` gives to the runner. `app` gets the probes; `asgi` wraps it where more is needed."""

    app: FastAPI
    loops: list[Loop]
    not_ready: Callable[[], list[str]]
    detail: Callable[[], dict[str, Any]] = dict
    drain: Callable[[], Awaitable[None]] | None = None
    asgi: Any = None
    server_options: dict[str, Any] = field(default_factory=dict)


class ServiceSettings(Protocol):
    """The part of every service's settings that the runner reads."""

    @property
    def http(self) -> HttpSettings: ...
    @property
    def process(self) -> ProcessSettings: ...


Settings = TypeVar("Settings", bound=ServiceSettings)
Assemble = Callable[[Settings, Shell], AbstractAsyncContextManager[Service]]


def run_service(
    name: str, kind: type[Settings], assemble: Assemble[Settings], description: str
) -> None:
    """The whole main of a service. Exit code 0 after a signal, 1 after a bug, 2 for wrong settings."""
    settings = load_settings(kind, description)
    set_up_logs(name, settings.process.log_level, settings.process.log_format)
    listener = _listen(settings.http)
    try:
        uvloop.run(_serve(name, settings, assemble, listener))
    except KeyboardInterrupt:
        return
    except Exception as error:  # the door of the process: told in one line
        log.critical("service.crashed", error=_causes(error), exc_info=error)
        sys.exit(1)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling (the runner owns the signals), which tells when it listens."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]):
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(
    name: str, settings: Settings, assemble: Assemble[Settings], listener: socket.socket
) -> None:
    # First: a signal that comes while the service is put together must not kill it half-way.
    stop = _stop_event(settings.process.shutdown_deadline_s)
    shell = _shell(name, settings.http, listener)
    calm_garbage_collector()
    async with assemble(settings, shell) as service:
        shell.health.not_ready = service.not_ready
        identity = {
            "service": name,
            "instance": shell.instance,
            "version": shell.version,
        }
        service.app.include_router(
            probe_routes(shell.health, shell.registry, identity, service.detail)
        )
        server = _Server(
            uvicorn.Config(
                service.asgi or service.app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=REQUESTS_END_WITHIN_S,
                **{"backlog": BACKLOG, "ws": "none", **service.server_options},
            ),
            lambda: log.info("service.started", url=shell.url, instance=shell.instance),
        )
        await _run_until_signal(
            service, server, listener, shell, stop, settings.process.drain_delay_s
        )
    log.info("service.stopped")


async def _run_until_signal(
    service: Service,
    server: uvicorn.Server,
    listener: socket.socket,
    shell: Shell,
    stop: asyncio.Event,
    drain_delay_s: float,
) -> None:
    metrics = LoopMetrics(shell.registry)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve([listener]), name="http server")
        loops = [
            group.create_task(run_loop(loop, shell.health, metrics), name=loop.name)
            for loop in service.loops
        ]
        ended = _watched(loops, serving, stop)
        await stop.wait()
        if ended:
            raise RuntimeError(f"the loop {ended[0]!r} was cancelled from within")
        shell.health.draining = True
        log.info("service.draining", delay_s=drain_delay_s)
        await asyncio.sleep(drain_delay_s)
        if service.drain:
            await service.drain()
        server.should_exit = True
        await serving
        for loop in loops:
            loop.cancel()


def _watched(
    loops: list[asyncio.Task[None]], serving: asyncio.Task[None], stop: asyncio.Event
) -> list[str]:
    """The names of the loops that end although nobody ended them, as they do; the first one sets `stop`.

    A task that is cancelled from within (a stray cancellation in a library) is no error to its group: it would be
    missing without a word.
    """
    ended: list[str] = []

    def over(task: asyncio.Task[None]) -> None:
        if task.cancelled() and not stop.is_set() and not serving.cancelling():
            ended.append(task.get_name())
            stop.set()

    for task in loops:
        task.add_done_callback(over)
    return ended


def _causes(error: BaseException) -> str:
    """What went wrong, without the groups around it."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_causes(each) for each in error.exceptions)
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error}{notes}"


def _shell(name: str, http: HttpSettings, listener: socket.socket) -> Shell:
    clock = SystemClock()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    Info("build", "Version of the running code.", registry=registry).info(
        {"service": name, "version": version("bse-shared")}
    )
    return Shell(
        service=name,
        instance=f"{socket.gethostname()}-{os.getpid()}",
        url=f"http://{_in_url(http.advertised)}:{listener.getsockname()[1]}",
        version=version("bse-shared"),
        clock=clock,
        registry=registry,
        health=Health(clock),
    )


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listen(http: HttpSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((http.host, http.port))
    except OSError as error:
        sys.stderr.write(
            f"Cannot listen on {http.host}:{http.port}: {error.strerror}."
            " Set HTTP_HOST and HTTP_PORT.\n"
        )
        sys.exit(2)
    listener.setblocking(False)
    return listener


def _stop_event(deadline_s: float) -> asyncio.Event:
    """Set by the first signal, which also starts the deadline."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            _give_up()
        stop.set()
        loop.call_later(deadline_s, _give_up)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    return stop


def _give_up() -> None:
    """The last resort: a shutdown that hangs must not outlive its grace period."""
    log.error("service.shutdown_cut_short")
    sys.stdout.flush()
    os._exit(1)

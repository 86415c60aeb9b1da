"""What the whole product on one machine consists of: processes, their addresses, their environment."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass


BSE_URL = "https://api.bseindia.com"

PORTS = {
    "redis": ("REDIS_PORT", 6399),
    "exchange-sim": ("SIM_PORT", 8004),
    "fetcher": ("FETCHER_PORT", 8003),
    "gateway": ("GATEWAY_PORT", 8000),
    "ws-hub": ("WS_HUB_PORT", 8001),
    "monitor": ("MONITOR_PORT", 8002),
}


class CannotStart(RuntimeError):
    """Something that the product needs is missing or taken; says what to do."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process: its name, command line and what its environment adds."""

    name: str
    line: list[str]
    env: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stack:
    """Where everything is."""

    host: str
    ports: dict[str, int]
    source: str
    redis_url: str
    embedded_redis: bool

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Stack":
        """The stack that the environment asks for. Raises CannotStart."""
        ports = {name: _port(env, *where) for name, where in PORTS.items()}
        source = env.get("SOURCE", "sim")
        if source not in {"sim", "bse"}:
            raise CannotStart(f"SOURCE={source}: must be sim or bse")
        redis_url = env.get("REDIS_URL", "")
        return cls(
            host=env.get("RUN_HOST", "127.0.0.1"),
            ports=ports,
            source=source,
            redis_url=redis_url or f"redis://127.0.0.1:{ports['redis']}/0",
            embedded_redis=not redis_url,
        )

    def url(self, name: str, scheme: str = "http") -> str:
        """The address of a process."""
        return f"{scheme}://{self.host}:{self.ports[name]}"

    def processes(self) -> list[Process]:
        """All processes but Redis, which must be there before and after them."""
        found = []
        if self.source == "sim":
            found.append(
                Process(
                    "exchange-sim",
                    [sys.executable, "-m", "bse_exchange_sim"],
                    {
                        "SIM_HOST": self.host,
                        "SIM_PORT": str(self.ports["exchange-sim"]),
                    },
                )
            )
        return [
            *found,
            self._service("fetcher", "bse_fetcher", self._fetcher_env()),
            self._service(
                "gateway",
                "bse_gateway",
                {
                    "GATEWAY_STREAM_URL": self.url("ws-hub", "ws"),
                    "AUTH_DEMO_KEY": os.environ.get("AUTH_DEMO_KEY", "1"),
                },
            ),
            self._service("ws-hub", "bse_ws_hub", {}),
            self._service("monitor", "bse_monitor", {}),
        ]

    def taken_ports(self) -> list[str]:
        """The ports that somebody else listens on, each with the variable that moves it."""
        mine = [
            name
            for name in self.ports
            if (name != "redis" or self.embedded_redis)
            and (name != "exchange-sim" or self.source == "sim")
        ]
        return [
            f"{self.host}:{self.ports[name]} ({name}; set {PORTS[name][0]})"
            for name in mine
            if not _is_free(self.host, self.ports[name])
        ]

    def _fetcher_env(self) -> dict[str, str]:
        if self.source == "bse":
            return {"BSE_BASE_URL": os.environ.get("BSE_BASE_URL", BSE_URL)}
        # The stand-in bans nobody: depth and missed minutes of what is watched may be asked for.
        wanted = {
            "POLL_SESSION": "always_open",
            "BSE_DETAILS_PER_S": "5",
            "BSE_REQUESTS_PER_S": "10",
            "BSE_BURST": "20",
        }
        chosen = {name: os.environ.get(name, wanted[name]) for name in wanted}
        return {"BSE_BASE_URL": self.url("exchange-sim"), **chosen}

    def _service(self, name: str, module: str, extra: dict[str, str]) -> Process:
        env = {
            "REDIS_URL": self.redis_url,
            "HTTP_HOST": self.host,
            "HTTP_PORT": str(self.ports[name]),
            **extra,
        }
        return Process(name, [sys.executable, "-m", module], env)


def _port(env: Mapping[str, str], variable: str, default: int) -> int:
    text = env.get(variable, str(default))
    if not text.isdigit() or not 0 < int(text) < 65536:  # noqa: PLR2004 - TCP
        raise CannotStart(f"{variable}={text}: must be a port number")
    return int(text)


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True

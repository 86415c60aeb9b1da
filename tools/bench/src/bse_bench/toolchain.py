"""What the baselines need beyond Python, made once into a cache directory: C programs, npm packages, a Go program.

What can't be had on this machine raises Missing with the words to print; the run goes on without it.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path


NATS_SERVER = "github.com/nats-io/nats-server/v2@v2.15.2"
MAKE_WITHIN_S = 600

_HERE = Path(__file__).parent
_NODE = _HERE.parents[1] / "node"


class Missing(RuntimeError):
    """Something is not to be had here; the text says what and how to get it."""


def c_program(name: str) -> Path:
    """The path of the compiled `c/NAME.c`."""
    source = _HERE / "c" / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    made = _cache() / f"{name}-{digest}"
    if not made.exists():
        cc = _tool("cc", "a C compiler (Debian: apt-get install gcc libc6-dev)")
        fresh = made.with_suffix(f".{os.getpid()}")
        _make([cc, "-O2", "-o", str(fresh), str(source)], f"cc {source.name}")
        fresh.replace(made)
    return made


def node_server() -> list[str]:
    """The command line of the Node server, with its packages installed from the lock file."""
    node = _tool("node", "Node.js 18 or newer (Debian: apt-get install nodejs npm)")
    npm = _tool("npm", "npm (Debian: apt-get install npm)")
    lock = (_NODE / "package-lock.json").read_bytes()
    home = _cache() / f"node-{hashlib.sha256(lock).hexdigest()[:16]}"
    home.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json", "server.cjs"):
        shutil.copyfile(_NODE / name, home / name)
    if not (home / "installed").exists():
        _make(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm ci", home
        )
        (home / "installed").touch()
    return [node, str(home / "server.cjs")]


def nats_server() -> Path:
    """The path of nats-server, built from its Go module."""
    made = _cache() / NATS_SERVER.rsplit("@", 1)[1] / "nats-server"
    if not made.exists():
        go = _tool("go", "Go (https://go.dev/doc/install)")
        env = {"GOBIN": str(made.parent)}
        _make([go, "install", NATS_SERVER], f"go install {NATS_SERVER}", env=env)
    return made


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    found = Path(base) / "bse-bench"
    found.mkdir(parents=True, exist_ok=True)
    return found


def _tool(name: str, how: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"`{name}` was not found: install {how}")
    return found


def _make(
    line: list[str],
    what: str,
    directory: Path | None = None,
    env: dict[str, str] | None = None,
) -> None:
    print(f"  preparing: {what} …", flush=True)
    try:
        subprocess.run(
            line,
            cwd=directory,
            env={**os.environ, **(env or {})},
            check=True,
            capture_output=True,
            timeout=MAKE_WITHIN_S,
        )
    except subprocess.CalledProcessError as error:
        tail = error.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise Missing(f"{what} failed: {' | '.join(tail)}") from error
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{what} took longer than {MAKE_WITHIN_S} s") from error

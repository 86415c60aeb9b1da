"""Checks everything that deploys the product: overlays (rendered), YAML style, compose file, Dockerfile.

Run by `make manifests`. One line per check. Exit code 0: all is well, 1: something is wrong,
2: no program to render kustomizations with.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml


ROOT = Path(__file__).resolve().parent.parent
OVERLAYS = ROOT / "k8s" / "overlays"
SCHEMA = "1.32"
OLDEST_KUBECTL = (1, 25)
"""The first whose kustomize knows `labels` with `includeTemplates`."""

NO_RENDERER = 2

Manifest = dict[str, Any]


class NoRendererError(RuntimeError):
    """Nothing here renders a kustomization; says how to get something."""


class InvalidError(RuntimeError):
    """A check found something; says what."""


@dataclass(frozen=True, slots=True)
class Check:
    """What is looked at, and how: `look` tells what it saw, or raises InvalidError."""

    subject: str
    look: Callable[[], str]


def find_renderer() -> list[str]:
    """The command line that renders a folder: kubectl if it is new enough, else kustomize."""
    kubectl = shutil.which("kubectl")
    if kubectl and _kubectl_version(kubectl) >= OLDEST_KUBECTL:
        return [kubectl, "kustomize"]
    if kustomize := shutil.which("kustomize"):
        return [kustomize, "build"]
    old = f" ({kubectl} is too old or does not run)" if kubectl else ""
    raise NoRendererError(
        "Neither kubectl {}.{} or newer{} nor kustomize 5 is on PATH.".format(
            *OLDEST_KUBECTL, old
        )
        + " Install either; where Go is:"
        " go install sigs.k8s.io/kustomize/kustomize/v5@v5.5.0"
    )


def render(folder: Path) -> list[Manifest]:
    """The objects of a kustomization. Raises InvalidError if it cannot be rendered."""
    text = _run([*find_renderer(), str(folder)])
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def compose() -> dict[str, Any]:
    """The compose file as compose understands it, without anybody's .env."""
    options = ["--project-directory", str(ROOT), "--env-file", os.devnull]
    text = _run([_tool("docker-compose"), *options, "config", "--format", "json"])
    understood: dict[str, Any] = json.loads(text)
    return understood


def check_overlay(folder: Path) -> str:
    """Render an overlay and hold each object against the schema of its kind."""
    manifests = render(folder)
    problems = [*_doubles(manifests), *_schema_breaches(manifests)]
    if problems:
        raise InvalidError("\n".join(problems))
    return f"{len(manifests)} objects, schema {SCHEMA}"


def checks() -> Iterator[Check]:
    """All checks, in the order in which they run."""
    for folder in sorted(path.parent for path in OVERLAYS.glob("*/kustomization.yaml")):
        yield Check(
            f"overlays/{folder.name}", lambda folder=folder: check_overlay(folder)
        )
    yield Check("yaml style", _yaml_style)
    yield Check("docker-compose.yml", _compose)
    yield Check("Dockerfile", _dockerfile)


def main() -> int:
    """Run all checks; the exit code."""
    code = 0
    for check in checks():
        try:
            print(f"ok    {check.subject:<20} {check.look()}")
        except InvalidError as error:
            print(f"WRONG {check.subject:<20} " + str(error).replace("\n", "\n      "))
            code = code or 1
        except NoRendererError as error:
            print(f"WRONG {check.subject:<20} not checked: {error}")
            code = NO_RENDERER
    return code


def _doubles(manifests: list[Manifest]) -> Iterator[str]:
    counts = Counter((m["kind"], m["metadata"]["name"]) for m in manifests)
    for (kind, name), count in counts.items():
        if count > 1:
            yield f"{kind}/{name}: there {count} times"


def _schema_breaches(manifests: list[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        where = f"{manifest['kind']}/{manifest['metadata']['name']}"
        try:
            kubernetes_validate.validate(manifest, SCHEMA, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            yield f"{where}: {path}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{where}: {error.message}"


def _yaml_style() -> str:
    files = [
        ROOT / "docker-compose.yml",
        *sorted((ROOT / "k8s").rglob("*.yaml")),
    ]
    config = ROOT / "k8s" / ".yamllint"
    _run([_tool("yamllint"), "--strict", "-c", str(config), *map(str, files)])
    return f"{len(files)} files"


def _compose() -> str:
    return f"{len(compose()['services'])} services"


def _dockerfile() -> str:
    _run([_tool("hadolint"), str(ROOT / "Dockerfile")])
    return "hadolint"


def _kubectl_version(kubectl: str) -> tuple[int, int]:
    try:
        text = _run([kubectl, "version", "--client", "-o", "json"])
        said = json.loads(text)["clientVersion"]
        return int(said["major"]), int(re.sub(r"\D", "", said["minor"]))
    except (InvalidError, KeyError, ValueError):
        return (0, 0)


def _tool(name: str) -> str:
    """A program of the same virtual environment."""
    return str(Path(sys.executable).parent / name)


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InvalidError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise InvalidError((done.stderr + done.stdout).strip())
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

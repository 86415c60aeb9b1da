"""What the Kubernetes manifests, the compose file and the Dockerfile promise: hardening, limits, who may talk to whom.

Manifests are checked as kubectl renders them: all bases as they are ("bases"), and each overlay.
"""

import functools
import importlib.util
import ipaddress
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bse_exchange_sim.settings import Settings as SimSettings
from bse_exchange_sim.settings import environment_name
from bse_fetcher.settings import FetcherSettings
from bse_fetcher.source_settings import BseSettings, KiteSettings, YahooSettings
from bse_gateway.settings import GatewaySettings
from bse_monitor.settings import MonitorSettings
from bse_shared.service.settings import explain, load_settings
from bse_ws_hub.settings import WsHubSettings


ROOT = Path(__file__).resolve().parents[2]
_SPEC = importlib.util.spec_from_file_location("validate", ROOT / "k8s/validate.py")
assert _SPEC
assert _SPEC.loader
validate = importlib.util.module_from_spec(_SPEC)
sys.modules["validate"] = validate
_SPEC.loader.exec_module(validate)

Manifest = dict[str, Any]

SETTINGS = {
    "fetcher": FetcherSettings,
    "gateway": GatewaySettings,
    "ws-hub": WsHubSettings,
    "monitor": MonitorSettings,
}
PORTS = {
    "gateway": 8000,
    "ws-hub": 8001,
    "monitor": 8002,
    "fetcher": 8003,
    "exchange-sim": 8004,
    "redis": 6379,
}
SECRETS_OF = {"fetcher": {"bse-redis", "bse-sources"}}
"""Who reads another Secret than that of Redis: only the fetcher has to know a broker's key."""

SCALED = {"gateway", "ws-hub"}
STAND_IN = "exchange-sim"
IMAGE_SETTINGS = {"HEALTH_PATH"}
"""Read by the image's own health check, not by a service."""

VALKEY_FLOORS = {(9, 1): 1, (9, 0): 5, (8, 1): 9}
"""The first patch of each series without a known advisory."""

WHOLES = [
    "bases",
    *sorted(
        f"overlays/{path.parent.name}"
        for path in (ROOT / "k8s/overlays").glob("*/kustomization.yaml")
    ),
]


@functools.cache
def rendered(whole: str) -> list[Manifest]:
    """All objects of the bases together, or of an overlay."""
    folder = ROOT / "k8s" / whole
    if whole != "bases":
        return validate.render(folder)
    bases = sorted(path.parent for path in folder.glob("*/kustomization.yaml"))
    return [manifest for base in bases for manifest in validate.render(base)]


def render_or_skip(whole: str) -> list[Manifest]:
    """The same; without a program to render, skip, or fail where CI is set."""
    try:
        return rendered(whole)
    except validate.NoRendererError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(params=WHOLES)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """The objects of the bases, then of each overlay."""
    return render_or_skip(request.param)


@functools.cache
def compose() -> dict[str, Any]:
    """The compose file with its defaults filled in."""
    with pytest.MonkeyPatch.context() as patch:
        for name in re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()):
            patch.delenv(name, raising=False)
        return validate.compose()


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    """The objects of these kinds by name."""
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] in kinds}


def workloads(manifests: list[Manifest]) -> dict[str, Manifest]:
    """What starts pods."""
    return of_kind(manifests, "Deployment", "StatefulSet")


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Every container of every pod, with the name of its workload."""
    for name, workload in workloads(manifests).items():
        pod = workload["spec"]["template"]["spec"]
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            yield name, container


def config_map(manifests: list[Manifest], name: str) -> dict[str, str]:
    """The data of a generated ConfigMap, whose name ends in a hash."""
    found = [
        data["data"]
        for full, data in of_kind(manifests, "ConfigMap").items()
        if re.fullmatch(rf"{name}-[a-z0-9]{{10}}", full)
    ]
    assert len(found) == 1, name
    return found[0]


def environment(manifests: list[Manifest], service: str) -> dict[str, str]:
    """The variables that a service's container gets (values from the pod are shown as an address)."""
    variables = dict(config_map(manifests, service))
    if service in SETTINGS:
        variables = {**config_map(manifests, "bse-common"), **variables}
    (container,) = (c for name, c in containers(manifests) if name == service)
    for entry in container.get("env", []):
        variables[entry["name"]] = entry.get("value", "10.0.0.1")
    return variables


def known_settings(service: str) -> set[str]:
    """The environment variables that a service reads."""
    if service == STAND_IN:
        return {environment_name(name) for name in SimSettings.model_fields}
    lines = "\n".join(explain(SETTINGS[service]))
    return set(re.findall(r"^  ([A-Z0-9_]+)=", lines, re.MULTILINE))


# Who may talk to whom: a small solver over the network policies.


@dataclass(frozen=True)
class Party:
    """Somebody on the network: a pod with its labels, or an address outside the cluster."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = "own"
    ip: str = ""


OURS = [
    *(Party(name, {"app.kubernetes.io/name": name}) for name in PORTS),
    Party("newcomer that no policy names"),
]
OTHERS = [
    Party("dns", {"k8s-app": "kube-dns"}, "kube-system"),
    Party("prometheus", namespace="monitoring"),
    Party("stranger", namespace="elsewhere"),
    Party("internet", ip="203.0.113.7"),
    Party("private network", ip="10.20.30.40"),
    Party("cloud metadata", ip="169.254.169.254"),
]
ALL_PORTS = {*PORTS.values(), 53, 80, 443, 22}


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector takes these labels."""
    return all(
        labels.get(k) == v for k, v in selector.get("matchLabels", {}).items()
    ) and all(
        {"In": labels.get(rule["key"]) in rule.get("values", [])}[rule["operator"]]
        for rule in selector.get("matchExpressions", [])
    )


def is_peer(peer: Manifest, party: Party) -> bool:
    """Whether an entry of `from` or `to` means this party."""
    if block := peer.get("ipBlock"):
        address = ipaddress.ip_address(party.ip) if party.ip else None
        return (
            address is not None
            and address in ipaddress.ip_network(block["cidr"])
            and not any(
                address in ipaddress.ip_network(net) for net in block.get("except", [])
            )
        )
    if party.ip:
        return False
    if "namespaceSelector" in peer:
        name = {"kubernetes.io/metadata.name": party.namespace}
        if not selects(peer["namespaceSelector"], name):
            return False
    elif party.namespace != "own":
        return False
    return selects(peer.get("podSelector", {}), party.labels)


def lets(
    policies: list[Manifest], way: str, subject: Party, other: Party, port: int
) -> bool:
    """Whether the policies of one end let the connection pass."""
    if subject not in OURS:
        return True
    mine = [
        policy["spec"]
        for policy in policies
        if way in policy["spec"]["policyTypes"]
        and selects(policy["spec"]["podSelector"], subject.labels)
    ]
    peers = "from" if way == "Ingress" else "to"
    return not mine or any(
        (not rule.get("ports") or port in {p["port"] for p in rule["ports"]})
        and (not rule.get(peers) or any(is_peer(p, other) for p in rule[peers]))
        for spec in mine
        for rule in spec.get(way.lower(), [])
    )


def flows(manifests: list[Manifest]) -> set[tuple[str, str, int]]:
    """Every connection that the policies let pass."""
    policies = [m for m in manifests if m["kind"] == "NetworkPolicy"]
    return {
        (source.name, target.name, port)
        for source in [*OURS, *OTHERS]
        for target in [*OURS, *OTHERS]
        for port in ALL_PORTS
        if source in OURS or target in OURS
        if lets(policies, "Egress", source, target, port)
        and lets(policies, "Ingress", target, source, port)
    }


COMMON_FLOWS = {
    *((service, "redis", 6379) for service in SETTINGS),
    *((service, "dns", 53) for service in SETTINGS),
    *(("monitor", service, PORTS[service]) for service in SETTINGS),
    *(("prometheus", service, PORTS[service]) for service in SETTINGS),
    *((other.name, "gateway", 8000) for other in OTHERS),
    *((other.name, "ws-hub", 8001) for other in OTHERS),
}
SOURCE_FLOWS = {
    "bases": ("fetcher", "internet", 443),
    "overlays/dev": ("fetcher", "exchange-sim", 8004),
}


@pytest.mark.parametrize("whole", SOURCE_FLOWS)
def test_policies_let_pass_exactly_the_flow_table(whole: str) -> None:
    """Redis hears the four services, the exchange the fetcher, the doors anybody; nothing else passes."""
    assert flows(render_or_skip(whole)) == {*COMMON_FLOWS, SOURCE_FLOWS[whole]}


def test_containers_are_locked_down(manifests: list[Manifest]) -> None:
    """Every container runs without root, privileges, capabilities or a writable root file system."""
    for name, container in containers(manifests):
        context = container["securityContext"]

        assert context["allowPrivilegeEscalation"] is False, name
        assert context["readOnlyRootFilesystem"] is True, name
        assert context["capabilities"] == {"drop": ["ALL"]}, name
        assert not context.get("privileged"), name


def test_pods_run_as_an_ordinary_user(manifests: list[Manifest]) -> None:
    """Our pods run as uid 10001, Redis as its image's user, all with the default seccomp profile."""
    for name, workload in workloads(manifests).items():
        pod = workload["spec"]["template"]["spec"]
        context = pod["securityContext"]

        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] == (999 if name == "redis" else 10001), name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name


def test_pods_carry_no_token(manifests: list[Manifest]) -> None:
    """Each workload has its own service account, and nobody mounts its token."""
    accounts = of_kind(manifests, "ServiceAccount")
    for name, workload in workloads(manifests).items():
        pod = workload["spec"]["template"]["spec"]

        assert pod["serviceAccountName"] == name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert accounts[name]["automountServiceAccountToken"] is False, name


def test_volumes_are_of_the_restricted_kinds(manifests: list[Manifest]) -> None:
    """Pods mount ConfigMaps and bounded scratch space, nothing of the node."""
    for name, workload in workloads(manifests).items():
        for volume in workload["spec"]["template"]["spec"].get("volumes", []):
            assert volume.keys() - {"name"} <= {"emptyDir", "configMap"}, name
            if "emptyDir" in volume:
                assert volume["emptyDir"] == {"sizeLimit": "16Mi"}, name


def test_containers_have_requests_and_limits(manifests: list[Manifest]) -> None:
    """CPU and memory of every container are asked for and bounded."""
    for name, container in containers(manifests):
        resources = container["resources"]

        assert resources["requests"].keys() == {"cpu", "memory"}, name
        assert resources["limits"].keys() == {"cpu", "memory"}, name


def test_services_are_probed_by_name_of_port(manifests: list[Manifest]) -> None:
    """Started and alive ask /livez, ready asks /readyz, all on the port named http."""
    for name, container in containers(manifests):
        if name == "redis":
            continue
        asked = {
            probe: container[f"{probe}Probe"]["httpGet"]
            for probe in ("startup", "liveness", "readiness")
        }

        assert asked == {
            "startup": {"path": "/livez", "port": "http"},
            "liveness": {"path": "/livez", "port": "http"},
            "readiness": {"path": "/readyz", "port": "http"},
        }, name
        assert [(p["name"], p["containerPort"]) for p in container["ports"]] == [
            ("http", PORTS[name])
        ]


def test_redis_is_probed_through_its_client(manifests: list[Manifest]) -> None:
    """Redis is ready when it says PONG, alive when it says anything."""
    redis = dict(containers(manifests))["redis"]
    asked = {
        probe: redis[f"{probe}Probe"]["exec"]["command"][-1]
        for probe in ("startup", "readiness", "liveness")
    }

    assert asked == {
        "startup": "valkey-cli ping | grep -q PONG",
        "readiness": "valkey-cli ping | grep -q PONG",
        "liveness": "valkey-cli ping | grep -q .",
    }


def test_grace_period_covers_drain_and_shutdown(manifests: list[Manifest]) -> None:
    """No service is killed before its drain delay and its shutdown deadline are over."""
    common = config_map(manifests, "bse-common")
    drain_s = float(common["DRAIN_DELAY_S"])
    deadline_s = float(common["SHUTDOWN_DEADLINE_S"])
    spread_s = float(config_map(manifests, "ws-hub")["WS_HUB_DRAIN_SPREAD_S"])
    for name, workload in workloads(manifests).items():
        grace_s = workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace_s > drain_s + deadline_s, name

    assert drain_s == 5
    assert drain_s + spread_s < deadline_s


def test_rollouts_take_nobody_away_first(manifests: list[Manifest]) -> None:
    """A new pod is ready before an old one goes; only the stand-in must never exist twice."""
    for name, deployment in of_kind(manifests, "Deployment").items():
        strategy = deployment["spec"]["strategy"]
        if name == STAND_IN:
            assert strategy == {"type": "Recreate"}
        else:
            assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_every_service_has_a_second_replica() -> None:
    """As shipped, each service runs twice at least, and the autoscaler's range begins there."""
    bases = render_or_skip("bases")
    scalers = of_kind(bases, "HorizontalPodAutoscaler")
    for name, deployment in of_kind(bases, "Deployment").items():
        if name in SCALED:
            assert "replicas" not in deployment["spec"], name
            assert scalers[name]["spec"]["minReplicas"] >= 2
        else:
            assert deployment["spec"]["replicas"] == (1 if name == STAND_IN else 2)


def test_doors_scale_by_cpu_and_memory(manifests: list[Manifest]) -> None:
    """Gateway and ws-hub scale at 70 % of the CPU and 80 % of the memory that they ask for."""
    scalers = of_kind(manifests, "HorizontalPodAutoscaler")
    for name, scaler in scalers.items():
        spec = scaler["spec"]
        targets = {
            metric["resource"]["name"]: metric["resource"]["target"]
            for metric in spec["metrics"]
        }

        assert spec["scaleTargetRef"]["name"] == name
        assert spec["minReplicas"] < spec["maxReplicas"]
        assert targets == {
            "cpu": {"type": "Utilization", "averageUtilization": 70},
            "memory": {"type": "Utilization", "averageUtilization": 80},
        }
    assert scalers.keys() == SCALED


def test_evictions_go_one_by_one(manifests: list[Manifest]) -> None:
    """Each workload has a disruption budget of one pod, so that nodes can be drained."""
    budgets = of_kind(manifests, "PodDisruptionBudget")

    assert budgets.keys() == workloads(manifests).keys()
    for name, budget in budgets.items():
        assert budget["spec"]["maxUnavailable"] == 1
        assert (
            budget["spec"]["selector"]
            == (workloads(manifests)[name]["spec"]["selector"])
        )


def test_replicas_spread_over_nodes(manifests: list[Manifest]) -> None:
    """The pods of a deployment prefer different nodes."""
    for name, deployment in of_kind(manifests, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        (spread,) = pod["topologySpreadConstraints"]

        assert spread["topologyKey"] == "kubernetes.io/hostname"
        assert spread["labelSelector"] == deployment["spec"]["selector"], name


def test_selectors_find_their_pods(manifests: list[Manifest]) -> None:
    """Every workload selects its own pods, and every Service exactly one workload's named port."""
    labels = {
        name: workload["spec"]["template"]["metadata"]["labels"]
        for name, workload in workloads(manifests).items()
    }
    for name, workload in workloads(manifests).items():
        assert selects(workload["spec"]["selector"], labels[name])
    for name, service in of_kind(manifests, "Service").items():
        selector = {"matchLabels": service["spec"]["selector"]}
        assert [n for n in labels if selects(selector, labels[n])] == [name]
        (port,) = service["spec"]["ports"]
        (offered,) = dict(containers(manifests))[name]["ports"]
        assert (port["port"], port["targetPort"]) == (PORTS[name], offered["name"])


def test_metrics_are_announced_to_prometheus(manifests: list[Manifest]) -> None:
    """The pods of the four services say where their metrics are."""
    for name, workload in workloads(manifests).items():
        if name in SETTINGS:
            said = workload["spec"]["template"]["metadata"]["annotations"]
            assert said == {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": str(PORTS[name]),
                "prometheus.io/path": "/metrics",
            }


@pytest.mark.parametrize("service", [*SETTINGS, STAND_IN])
def test_manifests_set_only_known_settings(
    manifests: list[Manifest], service: str
) -> None:
    """A variable in the manifests is one that the service reads."""
    assert environment(manifests, service).keys() <= known_settings(service)


@pytest.mark.parametrize("service", SETTINGS)
def test_services_accept_the_manifests_values(
    manifests: list[Manifest], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service starts with the values in the manifests, on the port that they name."""
    for name, value in environment(manifests, service).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", [service])

    settings = load_settings(SETTINGS[service], "")

    assert settings.http.port == PORTS[service]
    assert settings.http.advertised == "10.0.0.1"


def test_pods_announce_their_own_address(manifests: list[Manifest]) -> None:
    """Each service tells the monitor the pod's address, not the Service's."""
    for name, container in containers(manifests):
        if name in SETTINGS:
            by_name = {entry["name"]: entry for entry in container["env"]}
            assert by_name["HTTP_ADVERTISE_HOST"]["valueFrom"] == {
                "fieldRef": {"fieldPath": "status.podIP"}
            }


def test_configuration_is_found(manifests: list[Manifest]) -> None:
    """Every ConfigMap that a pod of an overlay names is there; every Secret may be missing."""
    maps = of_kind(manifests, "ConfigMap")
    for name, container in containers(manifests):
        for source in container.get("envFrom", []):
            if "secretRef" in source:
                secret = source["secretRef"]
                assert secret["optional"]
                assert secret["name"] in SECRETS_OF.get(name, {"bse-redis"})
            elif source["configMapRef"]["name"] != "bse-common":
                assert source["configMapRef"]["name"] in maps, name


def test_every_source_is_reached_by_the_one_rule_that_leads_outside() -> None:
    """Whatever source is set: its host is a public name, asked by HTTPS on 443; docs/deployment.md names it."""
    yahoo = YahooSettings()
    named = (ROOT / "docs/deployment.md").read_text()
    for url in (
        BseSettings().base_url,
        yahoo.base_url,
        yahoo.cookie_url,
        KiteSettings().base_url,
    ):
        parts = urlsplit(url)
        assert ("https", None) == (parts.scheme, parts.port), url
        assert f"`{parts.hostname}`" in named


def test_overlays_leave_no_reference_unresolved() -> None:
    """In an overlay the shared ConfigMap carries the hash of its content, so a change rolls out."""
    for whole in WHOLES[1:]:
        manifests = render_or_skip(whole)
        named = {
            source["configMapRef"]["name"]
            for _, container in containers(manifests)
            for source in container.get("envFrom", [])
            if "configMapRef" in source
        }
        assert named <= of_kind(manifests, "ConfigMap").keys()


def test_dev_namespace_enforces_the_restricted_standard() -> None:
    """The namespace refuses pods that are not locked down."""
    (namespace,) = of_kind(render_or_skip("overlays/dev"), "Namespace").values()

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == (
        "restricted"
    )


def test_dev_runs_the_images_that_make_builds() -> None:
    """The overlay uses the tags of `make images`, and every one of ours is in the Dockerfile."""
    images = {
        container["image"]
        for name, container in containers(render_or_skip("overlays/dev"))
        if name != "redis"
    }

    assert images == {f"bse-{service}:dev" for service in [*SETTINGS, STAND_IN]}


def valkey_images() -> list[str]:
    """The images of Redis wherever one is named, read without a renderer."""
    texts = [
        path.read_text()
        for path in [
            ROOT / "docker-compose.yml",
            *(ROOT / "k8s").rglob("*.yaml"),
        ]
    ]
    return [found for text in texts for found in re.findall(r"valkey/valkey:\S+", text)]


def test_redis_images_are_above_the_security_floor() -> None:
    """Compose and manifests run the same Valkey, at or above the first patch without known advisories."""
    images = {image.rstrip("}") for image in valkey_images()}
    assert len(images) == 1
    version = re.match(r"valkey/valkey:(\d+)\.(\d+)\.(\d+)-", images.pop())
    assert version

    major, minor, patch = map(int, version.groups())

    assert patch >= VALKEY_FLOORS[(major, minor)]


def test_compose_publishes_on_loopback_only() -> None:
    """By default no port of the compose file is open to the network, and only the doors have one."""
    published = {
        name: [(port["host_ip"], port["target"]) for port in service["ports"]]
        for name, service in compose()["services"].items()
        if service.get("ports")
    }

    assert published == {
        name: [("127.0.0.1", PORTS[name])] for name in ("gateway", "ws-hub", "monitor")
    }


def test_compose_containers_are_locked_down_and_bounded() -> None:
    """Every container is read-only, without capabilities or new privileges, with limits and a check."""
    for name, service in compose()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert int(service["mem_limit"]) <= 512 * 1024 * 1024, name
        assert float(service["cpus"]) <= 1, name
        assert int(service["pids_limit"]) <= 100, name
        assert "healthcheck" in service, name
        assert not any(v.get("type") == "bind" for v in service.get("volumes", []))


def test_compose_keeps_the_stores_inside() -> None:
    """Redis and the stand-in exchange are on the network without a way out, and on no other."""
    services = compose()["services"]

    assert compose()["networks"]["inside"]["internal"] is True
    assert list(services["redis"]["networks"]) == ["inside"]
    assert list(services[STAND_IN]["networks"]) == ["inside"]


@pytest.mark.parametrize("service", [*SETTINGS, STAND_IN])
def test_compose_sets_only_known_settings(service: str) -> None:
    """A variable in the compose file is one that the service, or the image's check, reads."""
    environment = compose()["services"][service]["environment"]

    assert environment.keys() <= known_settings(service) | IMAGE_SETTINGS


@pytest.mark.parametrize("service", SETTINGS)
def test_services_accept_the_compose_files_values(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service starts with the compose file's values, on the port that is published."""
    for name, value in compose()["services"][service]["environment"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", [service])

    assert load_settings(SETTINGS[service], "").http.port == PORTS[service]


def test_dockerfile_builds_every_service() -> None:
    """Each service has its stage with its module, port and listening address."""
    text = (ROOT / "Dockerfile").read_text()
    for service in [*SETTINGS, STAND_IN]:
        stage = text.split(f"\nFROM runtime AS service-{service}\n")[1].split(
            "\nFROM "
        )[0]
        module = "bse_" + service.replace("-", "_")
        prefix = "SIM" if service == STAND_IN else "HTTP"

        assert f'ENTRYPOINT ["python", "-m", "{module}"]' in stage
        assert f"{prefix}_HOST=0.0.0.0 {prefix}_PORT={PORTS[service]}" in stage


def test_dockerfile_installs_only_what_is_locked() -> None:
    """Whatever pip fetches has a hash; our own packages come without an index; no root at the end."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    installs = [
        command
        for line in text.splitlines()
        for command in line.split("&&")
        if re.search(r"\bpip\b.* install ", command)
    ]

    assert len(installs) == 3
    assert all("--require-hashes" in c or "--no-index" in c for c in installs)
    assert "USER 10001:10001" in text


def test_dockerfile_builds_with_any_builder() -> None:
    """No syntax line, heredoc or linked copy: those need a builder that not everybody has."""
    text = (ROOT / "Dockerfile").read_text()

    assert not re.search(r"^# *syntax|<<-?\w|COPY --link", text, re.MULTILINE)


def test_docker_context_is_an_allow_list() -> None:
    """Settings files, tests and history never reach the builder."""
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert lines[0] == "*"
    assert {"**/.*", "**/tests"} <= set(lines)


def test_python_of_the_images_is_supported() -> None:
    """The base image's Python is one that the packages declare."""
    found = re.search(
        r"PYTHON_IMAGE=python:3\.(\d+)-slim", (ROOT / "Dockerfile").read_text()
    )

    assert found
    assert int(found[1]) >= 11


def test_validation_names_a_misspelt_field() -> None:
    """The schema check says which object is wrong, and where."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "redis"},
        "spec": {"selectr": {}, "ports": [{"port": 1}]},
    }

    (found,) = validate._schema_breaches([manifest])

    assert found.startswith("Service/redis: spec")
    assert "selectr" in found


def test_validation_without_a_renderer_is_not_green(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing renders kustomizations, the check fails and says what to install."""
    monkeypatch.setenv("PATH", "/nonexistent")

    code = validate.main()

    assert code == 2
    assert "Install" in capsys.readouterr().out

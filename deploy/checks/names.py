"""Whether every setting, command, port, stream, user and image in the manifests exists in the code."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from bihuanctl.supervisor.environment import SERVICES

from deploy.checks import code
from deploy.checks.render import Object, containers, name_of, of_kind, pod_templates

# Those of OpenTelemetry that the kit reads (servicekit/telemetry/setup.py).
_TELEMETRY: Final = "OTEL_EXPORTER_OTLP_"
_ACTIONS: Final = {"serve", "migrate", "await-migration"}
_LISTENS: Final = ("BIHUAN_GRPC_LISTEN", "BIHUAN_METRICS_LISTEN", "BIHUAN_HTTP_LISTEN")


def check(objects: Sequence[Object]) -> Iterator[str]:
    platform = _platform_settings(objects)
    yield from (f"platform: {finding}" for finding in _settings(platform))
    yield from _targets(objects, json.loads(platform["BIHUAN_TARGETS"]))
    for workload, template in pod_templates(objects):
        for container in containers(template):
            where = f"{name_of(workload)}, {container['name']}"
            if _is_ours(container):
                yield from (f"{where}: {finding}" for finding in _process(container, platform))
            yield from (f"{where}: {finding}" for finding in _image(container))
    yield from _services_complete(objects)
    yield from _scaling(objects)
    yield from _bus(objects)


def _platform_settings(objects: Sequence[Object]) -> dict[str, str]:
    [platform] = [m for m in of_kind(objects, "ConfigMap") if m["metadata"]["name"].startswith("platform-")]
    return dict(platform["data"])


def _settings(names: Any) -> Iterator[str]:
    for name in names:
        if name not in code.settings() and not name.startswith(_TELEMETRY):
            yield f"no setting {name}"


def _targets(objects: Sequence[Object], targets: dict[str, str]) -> Iterator[str]:
    """BIHUAN_TARGETS names every service at an address that is served."""
    if set(targets) != set(SERVICES):
        yield f"BIHUAN_TARGETS: {sorted(targets)}, but the services are {sorted(SERVICES)}"
    served = {
        f"dns:///{service['metadata']['name']}:{port['port']}"
        for service in of_kind(objects, "Service")
        for port in service["spec"]["ports"]
    }
    yield from (f"BIHUAN_TARGETS: nobody serves {address}" for address in set(targets.values()) - served)


def _is_ours(container: Object) -> bool:
    return str(container["image"]).rpartition("/")[2].startswith("bihuan")


def _process(container: Object, platform: dict[str, str]) -> Iterator[str]:
    module, *rest = container.get("args", [""])
    if module not in code.modules() or not set(rest) <= _ACTIONS:
        yield f"`python -m {' '.join(container.get('args', []))}` is nothing that the image runs"
    own = {variable["name"]: variable.get("value", "") for variable in container.get("env", ())}
    yield from _settings(own)
    if not container.get("ports"):
        return
    listened = {int(address.rpartition(":")[2]) for name, address in (platform | own).items() if name in _LISTENS}
    for port in container["ports"]:
        if port["containerPort"] not in listened:
            yield f"nobody listens on port {port['containerPort']}"


def _image(container: Object) -> Iterator[str]:
    repository, _, tag = container["image"].rpartition(":")
    name = repository.rpartition("/")[2]
    if name == "bihuan":
        project = tomllib.loads((code.ROOT / "gateway" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        if tag != project["version"]:
            yield f"version {tag}, but the code is {project['version']}"
    tested = code.embedded_versions().get(name)
    if tested is not None and not tested.startswith(re.split("[-]", tag)[0]):
        yield f"version {tag}, but the tests run {tested}"


def _services_complete(objects: Sequence[Object]) -> Iterator[str]:
    """A service that the supervisor starts here runs there as well, with its migration."""
    names = {name_of(thing) for thing in objects}
    jobs = {name.rpartition("-")[0] for name in names if name.startswith("Job/")}
    for service in SERVICES:
        for kind in (
            "Deployment",
            "Service",
            "ServiceAccount",
            "PodDisruptionBudget",
            "NetworkPolicy",
            "ServiceMonitor",
        ):
            if f"{kind}/{service}" not in names:
                yield f"{service}: no {kind}; see deploy/README.md for what a new service needs"
        if f"Job/{service}-migrate" not in jobs:
            yield f"{service}: no migration Job"
        if not names & {f"HorizontalPodAutoscaler/{service}", f"ScaledObject/{service}"}:
            yield f"{service}: no autoscaler"


def _scaling(objects: Sequence[Object]) -> Iterator[str]:
    for scaled in of_kind(objects, "ScaledObject"):
        for trigger in scaled["spec"]["triggers"]:
            if trigger["type"] == "nats-jetstream":
                found = trigger["metadata"]
                if (
                    found["stream"] not in code.streams()
                    or found["consumer"] != scaled["spec"]["scaleTargetRef"]["name"]
                ):
                    yield f"{name_of(scaled)}: no consumer {found['consumer']} on {found['stream']}"


def _bus(objects: Sequence[Object]) -> Iterator[str]:
    [nats] = [m for m in of_kind(objects, "ConfigMap") if m["metadata"]["name"].startswith("nats-")]
    if nats["data"]["users.conf"] != code.nats_users():
        yield "users.conf is not what the code says: python -m deploy.checks --write-users"

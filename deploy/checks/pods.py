"""What every pod of ours must be: harmless, bounded, watched, and able to come and go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from deploy.checks.render import Object, containers, name_of, of_kind, pod_templates

_QUANTITY: Final = re.compile(r"^(?P<number>[0-9]+(\.[0-9]+)?)(?P<suffix>m|k|M|G|T|Ki|Mi|Gi|Ti)?$")
_FACTORS: Final = {"m": 1e-3, None: 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_FACTORS_OF_TWO: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_HANDLERS: Final = ("exec", "grpc", "httpGet", "tcpSocket")
_PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")
_NAME: Final = re.compile(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
_LONGEST_NAME: Final = 63


def check(objects: Sequence[Object]) -> Iterator[str]:
    for thing in objects:
        if not _NAME.fullmatch(thing["metadata"]["name"]) or len(thing["metadata"]["name"]) > _LONGEST_NAME:
            yield f"{name_of(thing)}: not a name"
    for workload, template in pod_templates(objects):
        name = name_of(workload)
        yield from (f"{name}: {finding}" for finding in _pod(template["spec"]))
        for container in containers(template):
            yield from (f"{name}, {container['name']}: {finding}" for finding in _container(container))
        if workload["kind"] != "Job":
            for container in template["spec"]["containers"]:
                yield from (f"{name}, {container['name']}: {finding}" for finding in _probes(container))
            yield from _survives_disruption(objects, workload)
        elif template["spec"].get("restartPolicy") not in {"OnFailure", "Never"}:
            yield f"{name}: a Job needs a restartPolicy"


def amount(quantity: Any) -> float:
    """A Kubernetes quantity as a number. Raises ValueError for anything else."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"not a quantity: {quantity!r}")
    suffix = match["suffix"]
    return float(match["number"]) * (_FACTORS_OF_TWO[suffix] if suffix in _FACTORS_OF_TWO else _FACTORS[suffix])


def _pod(spec: Object) -> Iterator[str]:
    security = spec.get("securityContext", {})
    if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
        yield "may run as root"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "no seccomp profile"
    if spec.get("automountServiceAccountToken") is not False:
        yield "carries a token for the Kubernetes API that it does not need"
    if not spec.get("serviceAccountName"):
        yield "has no service account of its own"
    if spec.get("enableServiceLinks") is not False:
        yield "gets an environment variable for every service there is"
    for flag in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(flag):
            yield f"{flag} is set"
    for volume in spec.get("volumes", ()):
        if "hostPath" in volume:
            yield f"volume {volume['name']} lies on the node"
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            yield f"volume {volume['name']} has no limit"


def _container(container: Object) -> Iterator[str]:
    security = container.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False or security.get("privileged"):
        yield "may gain privileges"
    if security.get("readOnlyRootFilesystem") is not True:
        yield "can write to its root file system"
    if security.get("capabilities") != {"drop": ["ALL"]}:
        yield "keeps capabilities"
    if security.get("runAsUser") == 0:
        yield "runs as root"
    tag = container["image"].rpartition("/")[2].partition(":")[2]
    if not tag or tag == "latest":
        yield f"image without a version: {container['image']}"
    resources = container.get("resources", {})
    for resource in ("cpu", "memory"):
        try:
            request, limit = (amount(resources[kind][resource]) for kind in ("requests", "limits"))
        except KeyError:
            yield f"no request or no limit of {resource}"
        except ValueError as wrong:
            yield f"{resource}: {wrong}"
        else:
            if limit < request:
                yield f"the limit of {resource} is below the request"


def _probes(container: Object) -> Iterator[str]:
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
    for kind in ("readinessProbe", "livenessProbe"):
        if kind not in container:
            yield f"no {kind}"
    for kind in _PROBES:
        probe = container.get(kind)
        if probe is None:
            continue
        handlers = [handler for handler in _HANDLERS if handler in probe]
        if len(handlers) != 1:
            yield f"{kind}: {len(handlers)} handlers"
            continue
        port = probe[handlers[0]].get("port")
        if port is not None and port not in {*ports, *ports.values()}:
            yield f"{kind}: the container has no port {port}"
    if container.get("readinessProbe") is not None and container.get("readinessProbe") == container.get(
        "livenessProbe"
    ):
        yield "restarts whenever it is not ready"


def _survives_disruption(objects: Sequence[Object], workload: Object) -> Iterator[str]:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    budgets = [
        budget
        for budget in of_kind(objects, "PodDisruptionBudget")
        if budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    ]
    if len(budgets) != 1:
        yield f"{name_of(workload)}: {len(budgets)} disruption budgets"

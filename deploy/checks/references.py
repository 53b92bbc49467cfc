"""Whether what is named exists: selectors, ports, keys of secrets and settings, targets of autoscalers and routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deploy.checks.render import Object, containers, name_of, of_kind, pod_templates


def check(objects: Sequence[Object]) -> Iterator[str]:
    yield from _selectors(objects)
    yield from _services(objects)
    yield from _sources(objects)
    yield from _targets(objects)


def _selectors(objects: Sequence[Object]) -> Iterator[str]:
    claimed: dict[frozenset[tuple[str, str]], str] = {}
    for workload in of_kind(objects, "Deployment", "StatefulSet"):
        selector = workload["spec"]["selector"]["matchLabels"]
        if not selector.items() <= workload["spec"]["template"]["metadata"]["labels"].items():
            yield f"{name_of(workload)}: does not select its own pods"
        other = claimed.setdefault(frozenset(selector.items()), name_of(workload))
        if other != name_of(workload):
            yield f"{name_of(workload)}: selects the pods of {other}"
        for spread in workload["spec"]["template"]["spec"].get("topologySpreadConstraints", ()):
            if spread["labelSelector"]["matchLabels"] != selector:
                yield f"{name_of(workload)}: spreads other pods than its own"
    budgets = of_kind(objects, "PodDisruptionBudget")
    for budget in budgets:
        if not any(_selected(budget["spec"]["selector"]["matchLabels"], objects)):
            yield f"{name_of(budget)}: protects nobody"


def _services(objects: Sequence[Object]) -> Iterator[str]:
    for service in of_kind(objects, "Service"):
        pods = list(_selected(service["spec"]["selector"], objects))
        if len(pods) != 1:
            yield f"{name_of(service)}: selects {len(pods)} workloads"
            continue
        named = {port["name"] for container in pods[0]["spec"]["containers"] for port in container.get("ports", ())}
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in named:
                yield f"{name_of(service)}: no pod has a port {port['targetPort']}"
    for monitor in of_kind(objects, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        services = [s for s in of_kind(objects, "Service") if wanted.items() <= s["metadata"].get("labels", {}).items()]
        ports = {port["name"] for service in services for port in service["spec"]["ports"]}
        missing = {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} - ports
        if len(services) != 1 or missing:
            yield f"{name_of(monitor)}: finds {len(services)} services, without ports {sorted(missing)}"


def _sources(objects: Sequence[Object]) -> Iterator[str]:
    """Settings, secrets and service accounts that pods take."""
    known = _secret_keys(objects) | {
        ("ConfigMap", thing["metadata"]["name"]): set(thing.get("data", {})) for thing in of_kind(objects, "ConfigMap")
    }
    accounts = {thing["metadata"]["name"] for thing in of_kind(objects, "ServiceAccount")}
    for workload, template in pod_templates(objects):
        spec, name = template["spec"], name_of(workload)
        if spec.get("serviceAccountName") not in accounts:
            yield f"{name}: no service account {spec.get('serviceAccountName')}"
        for kind, source, key in _taken(template):
            keys = known.get((kind, source))
            if keys is None:
                yield f"{name}: no {kind} {source}"
            elif key is not None and keys and key not in keys:
                yield f"{name}: {kind} {source} has no key {key}"
        claims = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", ())}
        volumes = {volume["name"] for volume in spec.get("volumes", ())} | claims
        for container in containers(template):
            for mount in container.get("volumeMounts", ()):
                if mount["name"] not in volumes:
                    yield f"{name}: no volume {mount['name']}"


def _secret_keys(objects: Sequence[Object]) -> dict[tuple[str, str], set[str]]:
    """The keys of every secret that is there or will be made; no keys where only the store outside knows them."""
    found = {("Secret", s["metadata"]["name"]): {*s.get("data", {})} for s in of_kind(objects, "Secret")}
    for external in of_kind(objects, "ExternalSecret"):
        spec = external["spec"]
        made = spec["target"].get("template", {}).get("data") or {
            entry["secretKey"]: "" for entry in spec.get("data", ())
        }
        found["Secret", spec["target"]["name"]] = set(made)
    return found


def _taken(template: Object) -> Iterator[tuple[str, str, str | None]]:
    for container in containers(template):
        for source in container.get("envFrom", ()):
            kind, reference = ("Secret", "secretRef") if "secretRef" in source else ("ConfigMap", "configMapRef")
            yield kind, source[reference]["name"], None
        for variable in container.get("env", ()):
            taken = variable.get("valueFrom", {})
            if "secretKeyRef" in taken:
                yield "Secret", taken["secretKeyRef"]["name"], taken["secretKeyRef"]["key"]
    for volume in template["spec"].get("volumes", ()):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"], None
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"], None


def _targets(objects: Sequence[Object]) -> Iterator[str]:
    deployments = {thing["metadata"]["name"] for thing in of_kind(objects, "Deployment")}
    scaled: list[str] = []
    for scaler in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]["name"]
        scaled.append(target)
        if target not in deployments:
            yield f"{name_of(scaler)}: no Deployment {target}"
        if scaler["spec"].get("minReplicas", 0) > scaler["spec"].get("maxReplicas", 0):
            yield f"{name_of(scaler)}: fewer at most than at least"
    for name in sorted({target for target in scaled if scaled.count(target) > 1}):
        yield f"Deployment/{name}: two autoscalers work against each other"
    for deployment in of_kind(objects, "Deployment"):
        if (deployment["metadata"]["name"] in scaled) == ("replicas" in deployment["spec"]):
            yield f"{name_of(deployment)}: needs either a number of replicas or an autoscaler"
    services = {
        thing["metadata"]["name"]: {p["port"] for p in thing["spec"]["ports"]} for thing in of_kind(objects, "Service")
    }
    doors = {thing["metadata"]["name"] for thing in of_kind(objects, "Gateway")}
    for route in of_kind(objects, "HTTPRoute"):
        for parent in route["spec"]["parentRefs"]:
            if parent["name"] not in doors:
                yield f"{name_of(route)}: no Gateway {parent['name']}"
        for backend in (backend for rule in route["spec"]["rules"] for backend in rule["backendRefs"]):
            if backend["port"] not in services.get(backend["name"], ()):
                yield f"{name_of(route)}: no Service {backend['name']}:{backend['port']}"


def _selected(selector: dict[str, str], objects: Sequence[Object]) -> Iterator[Object]:
    """Pod templates of lasting workloads that a selector finds; Jobs end and serve nobody."""
    for workload, template in pod_templates(objects):
        if workload["kind"] != "Job" and selector.items() <= template["metadata"]["labels"].items():
            yield template

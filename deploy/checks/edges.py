"""The network policies against deploy/edges.yaml: exactly the edges decided on, open at both ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml

from deploy.checks import code
from deploy.checks.render import Object, name_of, of_kind, pod_templates

GRPC_PORT: Final = 7000
_NAME: Final = "app.kubernetes.io/name"
_COMPONENT: Final = "app.kubernetes.io/component"
_NAMESPACE: Final = "kubernetes.io/metadata.name"
_ANYWHERE: Final = "0.0.0.0/0"
OUTSIDE: Final = "outside"


class Edge(NamedTuple):
    """`source` may open connections to `target` on `port`."""

    source: str
    target: str
    port: int

    def __str__(self) -> str:
        return f"{self.source} → {self.target}:{self.port}"


def check(objects: Sequence[Object], overlay: str) -> Iterator[str]:
    pods = _pods(objects)
    egress, ingress = _allowed(objects, pods)
    wanted = declared(overlay, pods)
    inside = set(pods)
    for edge in sorted(egress | ingress):
        if edge not in wanted:
            yield f"{edge}: allowed, but not an edge of deploy/edges.yaml"
    for edge in sorted(wanted):
        if edge.source in inside and edge not in egress:
            yield f"{edge}: {edge.source} may not call"
        if edge.target in inside and edge not in ingress:
            yield f"{edge}: {edge.target} does not let in"
    if not any(_denies_everything(policy) for policy in of_kind(objects, "NetworkPolicy")):
        yield "no policy denies what no other allows"
    calls = {(edge.source, edge.target) for edge in wanted if edge.port == GRPC_PORT}
    for caller, called in sorted(calls ^ code.calls()):
        yield f"{caller} → {called}: {'declared' if (caller, called) in calls else 'called in the code'} only"


def declared(overlay: str, pods: Mapping[str, Mapping[str, str]]) -> set[Edge]:
    """The edges of deploy/edges.yaml that hold in `overlay`, with the names of groups replaced by their members."""
    groups = {
        "services": [name for name, labels in pods.items() if labels.get(_COMPONENT) == "service"],
        "migrations": [name for name, labels in pods.items() if labels.get(_COMPONENT) == "migration"],
        "everybody": list(pods),
    }
    document = yaml.safe_load((code.ROOT / "deploy" / "edges.yaml").read_text(encoding="utf-8"))
    return {
        Edge(source, target, entry["port"])
        for entry in document["edges"]
        if overlay in entry.get("overlays", [overlay])
        for source in groups.get(entry["from"], [entry["from"]])
        for target in groups.get(entry["to"], [entry["to"]])
    }


def _pods(objects: Sequence[Object]) -> dict[str, Mapping[str, str]]:
    """Labels of the pods of each workload, by a name for it; a database operator's pods are workloads too."""
    found: dict[str, Mapping[str, str]] = {}
    for _, template in pod_templates(objects):
        labels = template["metadata"]["labels"]
        migration = labels.get(_COMPONENT) == "migration"
        found[f"{labels[_NAME]} migration" if migration else labels[_NAME]] = labels
    for cluster in of_kind(objects, "Cluster"):
        labels = {**cluster["spec"]["inheritedMetadata"]["labels"], "cnpg.io/cluster": cluster["metadata"]["name"]}
        found[labels[_NAME]] = labels
    return found


def _allowed(objects: Sequence[Object], pods: Mapping[str, Mapping[str, str]]) -> tuple[set[Edge], set[Edge]]:
    egress: set[Edge] = set()
    ingress: set[Edge] = set()
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        own = [name for name, labels in pods.items() if _matches(spec["podSelector"], labels)]
        if not own:
            raise ValueError(f"{name_of(policy)} selects no pod")
        for rule in spec.get("ingress", ()):
            ingress |= {Edge(s, t, p) for s in _peers(rule["from"], pods) for t in own for p in _ports(rule)}
        for rule in spec.get("egress", ()):
            egress |= {Edge(s, t, p) for s in own for t in _peers(rule["to"], pods) for p in _ports(rule)}
    return egress, ingress


def _peers(peers: Sequence[Object], pods: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for peer in peers:
        match peer:
            case {"podSelector": selector, **rest} if not rest:
                yield from (name for name, labels in pods.items() if _matches(selector, labels))
            case {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}, **rest} if not rest:
                yield f"namespace:{name}"
            case {"ipBlock": {"cidr": "0.0.0.0/0"}}:
                yield OUTSIDE
            case _:
                raise ValueError(f"a peer that this check does not understand: {peer}")


def _ports(rule: Object) -> set[int]:
    return {entry["port"] for entry in rule["ports"]}


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    exact = selector.get("matchLabels", {}).items() <= labels.items()
    return exact and all(labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", ()))


def _denies_everything(policy: Object) -> bool:
    spec = policy["spec"]
    return spec["podSelector"] == {} and set(spec["policyTypes"]) == {"Ingress", "Egress"} and "ingress" not in spec

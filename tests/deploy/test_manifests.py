"""The manifests are what `make k8s` wants (TRC-02, TRC-03), and it finds what it is there to find."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.checks import edges, names, observability, pods, references, shapes
from deploy.checks.metrics import exposed
from deploy.dev_secrets import generate

Object = dict[str, Any]
Objects = list[Object]


def find(objects: Objects, kind: str, name: str) -> Object:
    [found] = [o for o in objects if o["kind"] == kind and o["metadata"]["name"].startswith(name)]
    return found


def pod(objects: Objects, name: str = "intake", kind: str = "Deployment") -> Object:
    return find(objects, kind, name)["spec"]["template"]["spec"]


def container(objects: Objects, name: str = "intake") -> Object:
    return pod(objects, name)["containers"][0]


@pytest.mark.parametrize("overlay", ["dev", "prod"])
@pytest.mark.parametrize("check", [shapes, pods, references, names, observability])
def test_overlay_has_no_findings(overlays: dict[str, Objects], overlay: str, check: Any) -> None:
    found = list(check.check(overlays[overlay]))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_network_policies_allow_exactly_the_edges_decided_on(overlays: dict[str, Objects], overlay: str) -> None:
    found = list(edges.check(overlays[overlay], overlay))
    assert not found, "\n".join(found)


def test_what_waits_for_nobody_asks_for_no_replicas_of_partners(overlays: dict[str, Objects]) -> None:
    """While nobody is a partner its events stay on the stream."""
    heard = {
        scaled["metadata"]["name"]: [trigger["metadata"].get("stream") for trigger in scaled["spec"]["triggers"]]
        for scaled in overlays["prod"]
        if scaled["kind"] == "ScaledObject"
    }
    assert heard["partners"] == [None, "BIHUAN_COMMANDS"]
    assert heard["quality"] == [None, "BIHUAN_COMMANDS", "BIHUAN_EVENTS"]


def a_rule(objects: Objects, alert: str) -> Object:
    rules = [r for o in objects if o["kind"] == "PrometheusRule" for g in o["spec"]["groups"] for r in g["rules"]]
    return next(rule for rule in rules if rule.get("alert") == alert)


def drop_policy(objects: Objects, name: str) -> None:
    objects.remove(find(objects, "NetworkPolicy", name))


MISTAKES: dict[str, tuple[Any, Callable[[Objects], Any], str]] = {
    "unknown field": (shapes, lambda o: pod(o).update(hostNamee="x"), "hostNamee"),
    "wrong type": (shapes, lambda o: find(o, "Deployment", "gateway")["spec"].update(replicas="two"), "replicas"),
    "unknown kind": (shapes, lambda o: o.append({**o[0], "kind": "Surprise"}), "no schema"),
    "custom resource": (shapes, lambda o: find(o, "HTTPRoute", "gateway")["spec"].update(hosts=[]), "hosts"),
    "twice": (shapes, lambda o: o.append(o[0]), "defined twice"),
    "root": (pods, lambda o: pod(o)["securityContext"].update(runAsNonRoot=False), "may run as root"),
    "writes": (pods, lambda o: container(o)["securityContext"].pop("readOnlyRootFilesystem"), "root file system"),
    "capabilities": (pods, lambda o: container(o)["securityContext"].pop("capabilities"), "capabilities"),
    "no limit": (pods, lambda o: container(o)["resources"]["limits"].pop("memory"), "no limit of memory"),
    "limit": (pods, lambda o: container(o)["resources"]["limits"].update(cpu="10m"), "below the request"),
    "quantity": (pods, lambda o: container(o)["resources"]["limits"].update(memory="1 GB"), "not a quantity"),
    "no probe": (pods, lambda o: container(o).pop("livenessProbe"), "no livenessProbe"),
    "two handlers": (pods, lambda o: container(o)["livenessProbe"].update(exec={"command": ["x"]}), "2 handlers"),
    "probe's port": (pods, lambda o: container(o)["readinessProbe"]["grpc"].update(port=7001), "no port 7001"),
    "latest": (pods, lambda o: container(o).update(image="bihuan:latest"), "without a version"),
    "budget": (pods, lambda o: o.remove(find(o, "PodDisruptionBudget", "intake")), "0 disruption budgets"),
    "name": (pods, lambda o: o[0]["metadata"].update(name="Not_A_Name"), "not a name"),
    "selector": (references, lambda o: find(o, "Service", "intake")["spec"].update(selector={"a": "b"}), "selects 0"),
    "key": (
        references,
        lambda o: container(o)["env"][0]["valueFrom"]["secretKeyRef"].update(key="typo"),
        "has no key typo",
    ),
    "config": (references, lambda o: container(o)["envFrom"][0]["configMapRef"].update(name="x"), "no ConfigMap x"),
    "scaler": (
        references,
        lambda o: find(o, "HorizontalPodAutoscaler", "intake")["spec"]["scaleTargetRef"].update(name="dispatch"),
        "two autoscalers",
    ),
    "setting": (
        names,
        lambda o: find(o, "ConfigMap", "platform")["data"].update(BIHUAN_TYPO="1"),
        "no setting BIHUAN_TYPO",
    ),
    "command": (names, lambda o: container(o).update(args=["intakes"]), "nothing that the image runs"),
    "port": (names, lambda o: container(o)["ports"][0].update(containerPort=7001), "nobody listens"),
    "service": (names, lambda o: o.remove(find(o, "Deployment", "records")), "records: no Deployment"),
    "tested version": (
        names,
        lambda o: pod(o, "nats", "StatefulSet")["containers"][0].update(image="nats:2.9.0"),
        "but the tests run",
    ),
    "rights on the bus": (
        names,
        lambda o: find(o, "ConfigMap", "nats")["data"].update({"users.conf": ""}),
        "users.conf",
    ),
    "no PromQL": (observability, lambda o: a_rule(o, "BihuanCallsFail").update(expr="sum("), "no PromQL"),
    "metric": (observability, lambda o: a_rule(o, "BihuanOutboxWaits").update(expr="outbox > 1"), "exposes outbox"),
    "label": (
        observability,
        lambda o: a_rule(o, "BihuanDeadLetter").update(expr='bihuan_consumer_lag{result="dead"} > 0'),
        "no label result",
    ),
    "run-book": (
        observability,
        lambda o: a_rule(o, "BihuanDeadLetter")["annotations"].update(runbook_url="docs/kubernetes.md#x"),
        "no run-book",
    ),
    "one language": (
        observability,
        lambda o: a_rule(o, "BihuanDeadLetter")["annotations"].pop("summary_zh"),
        "both languages",
    ),
    "clock": (
        observability,
        lambda o: a_rule(o, "BihuanInternalClockMissed").update(expr='up{bihuan_clock=~"filing"}'),
        "strictness internal",
    ),
    "timer": (
        observability,
        lambda o: a_rule(o, "BihuanInternalClockMissed").update(
            expr=a_rule(o, "BihuanInternalClockMissed")["expr"].replace("filing", "filing|slot_hold")
        ),
        "strictness internal: ['slot_hold']",
    ),
    "absence": (
        observability,
        lambda o: a_rule(o, "BihuanServiceAbsent").update(expr='up{job=~"intake"} < 1'),
        "does not watch",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_found(overlays: dict[str, Objects], mistake: str) -> None:
    check, make, words = MISTAKES[mistake]
    objects = copy.deepcopy(overlays["dev"])
    make(objects)
    assert words in "\n".join(check.check(objects))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda o: drop_policy(o, "default-deny"), "no policy denies"),
        (lambda o: drop_policy(o, "records-to-intake"), "records → intake:7000: intake does not let in"),
        (lambda o: drop_policy(o, "records-calls-intake"), "records → intake:7000: records may not call"),
        (
            lambda o: find(o, "NetworkPolicy", "postgres")["spec"]["ingress"][0]["from"].append({"podSelector": {}}),
            "gateway → postgres:5432: allowed, but not an edge",
        ),
    ],
)
def test_policy_that_differs_from_the_edges_is_found(
    overlays: dict[str, Objects], make: Callable[[Objects], None], words: str
) -> None:
    objects = copy.deepcopy(overlays["dev"])
    make(objects)
    assert words in "\n".join(edges.check(objects, "dev"))


@given(number=st.integers(1, 10_000), suffix=st.sampled_from(["m", "", "k", "Ki", "Mi", "Gi"]))
def test_quantities_compare_as_kubernetes_compares_them(number: int, suffix: str) -> None:
    assert pods.amount(f"{number}{suffix}") < pods.amount(f"{number + 1}{suffix}")
    assert pods.amount(f"{number}Ki") > pods.amount(f"{number}k") > pods.amount(f"{number}m")


def test_red_lag_and_age_are_exposed() -> None:
    """TRC-02: rate, errors and duration of calls; lag of consumers and clocks; age of the outbox."""
    assert exposed().keys() >= {
        "rpc_server_call_duration_seconds_bucket",
        "http_server_request_duration_seconds_bucket",
        "bihuan_consumer_lag",
        "bihuan_consumer_handled_total",
        "bihuan_deadline_lag_seconds_bucket",
        "bihuan_outbox_oldest_seconds",
        "process_resident_memory_bytes",
    }


def test_secrets_are_generated_once_and_for_their_owner_only(tmp_path: Any) -> None:
    generate(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    generate(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.env")} == {0o600}

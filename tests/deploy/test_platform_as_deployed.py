"""The overlays' own Jobs and Deployments, run here as a kubelet would (TRC-03), with real PostgreSQL and NATS."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from bihuanctl.supervisor.environment import SERVICES
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kubelet import Node, Object
from prometheus_client.parser import text_string_to_metric_families
from servicekit.embedded.ports import free_ports
from servicekit.embedded.postgres import EmbeddedPostgres
from servicekit.messaging.bus import Bus
from servicekit.messaging.streams import COMMANDS, EVENTS, OPERATOR

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
PATIENCE = 120.0
PORTS = free_ports()
STATES = health_pb2.HealthCheckResponse


def until(look: Callable[[], Any], complaint: str) -> Any:
    """What `look` gives once that is true; an answer that can't be had yet is looked for again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if seen := look():
                return seen
        except (httpx.HTTPError, grpc.RpcError):
            pass
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)


def deployment(node: Node, name: str) -> Object:
    return node.find("Deployment", name)["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def node(
    overlays: dict[str, list[Object]], postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    home = tmp_path_factory.mktemp("node")
    nats = next(PORTS)
    node = Node(overlays["dev"], home, {"nats:4222": f"127.0.0.1:{nats}"})
    issuer = home / "issuer"
    issuer.mkdir()
    for file, content in node.data("Secret", "issuer-").items():
        (issuer / file).write_text(content)
        (issuer / file).chmod(0o600)
    admin = node.data("Secret", "postgres-admin")["admin-url"]
    node.addresses |= {admin: postgres_server.url, "/etc/bihuan/issuer": str(issuer)}
    node.addresses["postgres:5432"] = postgres_server.url.rpartition("@")[2].partition("/")[0]
    for service in SERVICES:
        node.addresses[f"dns:///{service}:7000"] = f"dns:///127.0.0.1:{next(PORTS)}"
    monitor = next(PORTS)
    listen = {"port: 4222": f"listen: 127.0.0.1:{nats}"}
    node.start_nats("nats-0", node.data("Secret", "nats-users"), listen, monitor)
    healthz = f"http://127.0.0.1:{monitor}/healthz"
    until(lambda: httpx.get(healthz, trust_env=False).is_success, "NATS is not healthy")
    yield node
    node.stop()


def own_ports(node: Node, name: str) -> dict[str, str]:
    """Where a process listens here instead of on all of its pod's addresses."""
    changes = {"BIHUAN_METRICS_LISTEN": f"127.0.0.1:{next(PORTS)}"}
    if name in SERVICES:
        changes["BIHUAN_GRPC_LISTEN"] = node.addresses[f"dns:///{name}:7000"].removeprefix("dns:///")
    else:
        changes["BIHUAN_HTTP_LISTEN"] = f"127.0.0.1:{next(PORTS)}"
    return changes


def health(address: str, name: str) -> int:
    with grpc.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        return check(health_pb2.HealthCheckRequest(service=name), timeout=2).status


def scrape(address: str) -> dict[str, float]:
    text = httpx.get(f"http://{address}/metrics", trust_env=False).text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_overlay_runs_in_any_order_and_ends_without_loss(node: Node, overlays: dict[str, list[Object]]) -> None:
    """Jobs beside Deployments, as one `kubectl apply` starts them; then probes, metrics, consumers, and SIGTERM."""
    listens = {name: own_ports(node, name) for name in (*SERVICES, "gateway")}
    waiting = deployment(node, "intake")["initContainers"][0]
    node.start("intake-await", waiting)
    for service in SERVICES:
        node.start(service, deployment(node, service)["containers"][0], **listens[service])
    node.start("gateway", deployment(node, "gateway")["containers"][0], **listens["gateway"])
    # In dev platform time is adjustable: it is on the bus, and a service serves when it knows the time.
    node.run_job("streams-provision")
    for service in SERVICES:
        address = listens[service]["BIHUAN_GRPC_LISTEN"]
        until(lambda a=address: health(a, "liveness") == STATES.SERVING, f"{service} does not live")
        until(lambda a=address: health(a, "") == STATES.NOT_SERVING, "its database is not there yet")
    assert node.processes["intake-await"].poll() is None, "the new version must wait for its migration"

    with ThreadPoolExecutor() as jobs:
        list(jobs.map(node.run_job, (f"{service}-migrate" for service in SERVICES)))
    assert node.processes.pop("intake-await").wait(PATIENCE) == 0

    for service in SERVICES:
        address = listens[service]["BIHUAN_GRPC_LISTEN"]
        until(lambda a=address: health(a, "") == STATES.SERVING, f"{service} is not ready")
    gateway = f"http://{listens['gateway']['BIHUAN_HTTP_LISTEN']}"
    probes = deployment(node, "gateway")["containers"][0]
    for kind in ("livenessProbe", "readinessProbe"):
        path = probes[kind]["httpGet"]["path"]
        until(lambda p=path: httpx.get(f"{gateway}{p}", trust_env=False).status_code == 200, f"{kind} fails")
    assert httpx.get(f"{gateway}/v1/cases", trust_env=False).status_code == 401

    # Partners hears events too, but how many wait for it does not scale it.
    asyncio.run(until_consumed(node, scaled_on(overlays["prod"]) | {(EVENTS, "partners")}))
    for service in SERVICES:
        address = listens[service]["BIHUAN_METRICS_LISTEN"]
        until(
            lambda a=address: scrape(a).keys() >= {"bihuan_consumer_lag", "bihuan_outbox_oldest_seconds"},
            f"{service} does not tell its lag",
        )
    counted = scrape(listens["gateway"]["BIHUAN_METRICS_LISTEN"])
    assert counted["http_server_request_duration_seconds_count"] >= 3
    assert set(node.stop().values()) <= {0, 1}, {name: p.returncode for name, p in node.processes.items()}


def scaled_on(objects: list[Object]) -> set[tuple[str, str]]:
    """Stream and consumer of every trigger by which KEDA scales in production."""
    triggers = [t for o in objects if o["kind"] == "ScaledObject" for t in o["spec"]["triggers"]]
    return {(t["metadata"]["stream"], t["metadata"]["consumer"]) for t in triggers if t["type"] == "nats-jetstream"}


async def until_consumed(node: Node, wanted: set[tuple[str, str]]) -> None:
    """Returns when the services have made these durable consumers and no others; the lag of others can't be asked."""
    login = node.data("Secret", "operator-credentials")
    url = f"nats://{node.addresses['nats:4222']}"
    found: set[tuple[str, str]] = set()
    async with Bus(url, service=OPERATOR, user=login["nats-user"], password=login["nats-password"]) as bus:
        jetstream = (await bus.connected()).jetstream
        deadline = time.monotonic() + PATIENCE
        while found != wanted:
            assert time.monotonic() < deadline, f"consumers {found}, but KEDA asks for {wanted}"
            await asyncio.sleep(0.1)
            found = {(s, c.name) for s in (EVENTS, COMMANDS) for c in await jetstream.consumers_info(s)}


def test_three_nats_servers_keep_each_stream_three_times(overlays: dict[str, list[Object]], tmp_path: Path) -> None:
    """The prod overlay's cluster, whose streams must survive the loss of any one server."""
    names = [f"nats-{number}" for number in range(3)]
    clients, members = ({name: next(PORTS) for name in names} for _ in range(2))
    passwords = Node(overlays["dev"], tmp_path, {}).data("Secret", "nats-users")
    prod = Node(overlays["prod"], tmp_path, {"nats:4222": f"127.0.0.1:{clients['nats-0']}"})
    routes = {f"{name}.nats:6222": f"127.0.0.1:{port}" for name, port in members.items()}
    assert all(f"nats://{route}\n" in prod.data("ConfigMap", "nats-")["cluster.conf"] for route in routes)
    try:
        for name in names:
            listens = {
                "port: 4222": f"listen: 127.0.0.1:{clients[name]}",
                "port: 6222": f"listen: 127.0.0.1:{members[name]}",
            }
            prod.start_nats(name, passwords, routes | listens, next(PORTS))
        job = prod.find("Job", "streams-provision")["spec"]["template"]["spec"]["containers"][0]
        login = {"BIHUAN_NATS_USER": OPERATOR, "BIHUAN_NATS_PASSWORD": passwords[OPERATOR]}
        environment = prod.environment({"envFrom": job["envFrom"]}, **login)
        until(lambda: provisioned(job, environment), "the cluster never took the streams")
    finally:
        prod.stop()


def provisioned(job: Object, environment: dict[str, str]) -> bool:
    """One attempt of the Job; it is tried again as Kubernetes does while the cluster elects its leader."""
    done = subprocess.run(
        [sys.executable, "-m", *job["args"]], env=environment, capture_output=True, text=True, check=False, timeout=90
    )
    return done.returncode == 0 and "3 replicas" in done.stdout

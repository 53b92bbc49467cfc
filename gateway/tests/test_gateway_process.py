"""The gateway as a process: a real socket, one span a request in the caller's trace, draining on SIGTERM (TRC-01)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from servicekit.embedded.ports import free_ports
from servicekit.embedded.processes import on_leash
from servicekit.messaging.users import SERVICES
from servicekit.telemetry.spanstore import SpanStore
from servicekit.testing.waiting import eventually

PORTS = free_ports()
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def environment(address: str, folder: Path, port: int, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("BIHUAN_", "OTEL_"))}
    return inherited | {
        "BIHUAN_OIDC_ISSUER": "http://gateway.test",
        "BIHUAN_OIDC_JWKS": str(folder / "jwks.json"),
        "BIHUAN_ISSUER_DIR": str(folder),
        "BIHUAN_HTTP_LISTEN": f"127.0.0.1:{port}",
        "BIHUAN_TARGETS": json.dumps(dict.fromkeys(SERVICES, address)),
        **more,
    }


async def begins_to_answer(client: httpx.AsyncClient, started: subprocess.Popen[bytes]) -> bool:
    """False for one that has ended."""

    async def answers_or_ended() -> bool:
        try:
            await client.get("/healthz")
        except httpx.TransportError:
            return started.poll() is not None
        return True

    await eventually(answers_or_ended, seconds=120)
    return started.poll() is None


@pytest.fixture
async def process(cases, issuer_dir, tmp_path) -> AsyncIterator[tuple[subprocess.Popen[bytes], httpx.AsyncClient]]:
    log, command = tmp_path / "log", on_leash([sys.executable, "-m", "gateway"], signal.SIGKILL)
    # A port that was free a moment ago may have gone to a server of another test.
    for port in islice(PORTS, 5):
        variables = environment(cases[1], issuer_dir, port, BIHUAN_SPAN_STORE=str(tmp_path / "spans.sqlite"))
        with log.open("wb") as output:
            started = subprocess.Popen(command, env=variables, stdout=output, stderr=output)
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                if await begins_to_answer(client, started):
                    yield started, client
                    return
        finally:
            started.kill()
            started.wait()
        assert "address already in use" in log.read_text()
    pytest.fail("no port stays free for as long as the gateway needs to start")


async def test_a_request_on_a_socket_is_one_span_of_the_callers_trace(process, bearer, report, tmp_path):
    started, client = process
    headers = bearer("channel-app") | {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
    opened = await client.post("/v1/cases", json=report, headers=headers)
    assert opened.status_code == 201
    assert "server" not in opened.headers
    missing = await client.get("/v1/cases/2611-9999-9999:explode", headers=headers)
    assert (missing.status_code, missing.json()["trace_id"]) == (404, TRACE_ID)
    wrong = await client.get("/v1/cases/2611-9999-9999", headers=headers)
    assert wrong.json()["trace_id"] == TRACE_ID

    started.send_signal(signal.SIGTERM)
    assert started.wait(timeout=60) == 0
    # The store reads a trace by the case that it is the life of, whose id is the trace's.
    with closing(SpanStore(tmp_path / "spans.sqlite")) as store:
        spans = store.spans_of_case(TRACE_ID)
    assert sorted(span.name for span in spans) == ["GET", "GET /v1/cases/{case}", "POST /v1/cases"]
    assert {span.parent_id for span in spans} == {"b7ad6b7169203331"}


async def test_clients_that_leave_in_the_middle_of_a_body_are_no_defects(process, bearer, tmp_path):
    started, client = process
    token = bearer("agent")["Authorization"]
    head = f"POST /v1/cases HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 500\r\n"
    for _ in range(3):
        _, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await client.get("/healthz")).status_code == 200
    started.send_signal(signal.SIGTERM)
    assert started.wait(timeout=60) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


async def test_a_running_request_is_finished_before_the_process_ends(process, bearer, report):
    started, client = process

    async def slowly():
        body = json.dumps(report).encode()
        yield body[:10]
        # The request has begun: now the end is asked for.
        started.send_signal(signal.SIGTERM)
        yield body[10:]

    headers = bearer("channel-app") | {"Content-Type": "application/json"}
    assert (await client.post("/v1/cases", content=slowly(), headers=headers)).status_code == 201
    assert started.wait(timeout=60) == 0


async def states(client: httpx.AsyncClient, **wanted: str) -> dict[str, Any]:
    """What the probe tells once it tells that: it waits for a service only a second, within which none may have
    answered on a busy machine."""
    told: dict[str, Any] = {}

    async def as_wanted() -> bool:
        answer = await client.get("/readyz")
        told.update(answer.json())
        assert answer.status_code == (200 if told["status"] == "ready" else 503)
        return told["services"].items() >= wanted.items()

    await eventually(as_wanted)
    return told


async def test_probes_tell_of_the_services(process):
    _, client = process
    assert (await client.get("/healthz")).json() == {"status": "live"}
    assert (await states(client, intake="serving"))["status"] == "ready"


async def test_a_service_that_never_answers_leaves_the_others_ready(make_client, cases):
    # Connections are taken by the kernel, and nobody ever looks at them.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        targets = dict.fromkeys(SERVICES, f"{host}:{port}") | {"intake": cases[1]}
        async with make_client(targets=targets) as client:
            told = await states(client, intake="serving")
    assert (told["status"], told["services"]["quality"]) == ("ready", "unreachable")


async def test_without_any_service_it_lives_and_waits(make_client):
    async with make_client(targets=dict.fromkeys(SERVICES, "127.0.0.1:1")) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "waiting")
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"BIHUAN_TARGETS": '{"intake": "127.0.0.1:1"}'},
            "BIHUAN_TARGETS names no address for: complaints, dispatch, partners, quality, records, training",
        ),
        ({"BIHUAN_ISSUER_DIR": "/nowhere/issuer"}, "/nowhere/issuer"),
        ({"BIHUAN_HTTP_LISTEN": "8080"}, "http_listen must be host:port"),
        ({"BIHUAN_PUBLIC_URL": "gateway"}, "BIHUAN_PUBLIC_URL"),
        ({"BIHUAN_PERSON_RATE": "-1"}, "BIHUAN_PERSON_RATE"),
    ],
)
def test_settings_that_can_t_work_are_named(issuer_dir, changed, told):
    variables = environment("127.0.0.1:1", issuer_dir, next(PORTS)) | changed
    command = [sys.executable, "-m", "gateway"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr

"""The metrics that our processes expose, found by letting them expose one: names as Prometheus sees them."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

# Made by Prometheus itself, and by CloudNativePG for every cluster.
OF_OTHERS: Final = {"up", "cnpg_collector_last_available_backup_timestamp"}

# Instruments belong to the process they are made in, so they are used once in one of their own.
_EXPOSE: Final = """
import asyncio, time, urllib.request
from types import SimpleNamespace
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from servicekit.telemetry.exposition import Exposition

exposition = Exposition("127.0.0.1:0")
metrics.set_meter_provider(MeterProvider(metric_readers=[exposition]))

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from partners.webhooks import courier
from servicekit.customerkeys import unreadable
from servicekit.deadlines.firing import lag
from servicekit.messaging import metrics as messaging
from servicekit.rpc.interceptors.telemetry import CallTelemetry
from servicekit.telemetry import names

with CallTelemetry().observe("package.Service/Method", {}) as call:
    call.error_type = "internal"
messaging.outbox_waiting.set(1)
messaging.outbox_parked.set(1)
messaging.outbox_oldest.set(1.0)
messaging.consumer_lag.set(1, {"stream": "S"})
messaging.consumed.add(1, {"subject": "s", "outcome": "done"})
courier.attempts.add(1, {names.WEBHOOK_OUTCOME: "delivered"})
courier.disabled.add(1)
unreadable.add(1)
lag.record(1.0, {names.CLOCK: "c", names.CLOCK_MARK: "missed"})

app = FastAPI(telemetry={"operation_spans": False, "logs": False})
app.get("/")(lambda: {})
async def visit():
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        await client.get("/")
asyncio.run(visit())
print(urllib.request.urlopen(f"http://127.0.0.1:{exposition.port}/metrics").read().decode())
metrics.get_meter_provider().shutdown()
"""


@cache
def exposed() -> dict[str, frozenset[str]]:
    """Every series of services and gateway with its labels. Raises RuntimeError when a process can't expose them."""
    done = subprocess.run([sys.executable, "-c", _EXPOSE], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, frozenset[str]] = {}
    for family in text_string_to_metric_families(done.stdout):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | frozenset(sample.labels)
    return found

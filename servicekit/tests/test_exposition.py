"""Metrics for Prometheus, the lag of consumers, and commands that prepare a platform without supervisor (TRC-02)."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from bihuan.intake.v1.events_pb2 import CaseOpened
from nats.js import JetStreamContext
from opentelemetry.sdk.metrics import MeterProvider
from servicekit.database import provision as database_provision
from servicekit.database.migrations import is_migrated, migrate
from servicekit.embedded.nats import EmbeddedNats
from servicekit.embedded.postgres import EmbeddedPostgres
from servicekit.messaging import Bus, Reactions
from servicekit.messaging import lag as lag_module
from servicekit.messaging.lag import measure_lag
from servicekit.messaging.provision import ProvisionSettings, provision_streams
from servicekit.messaging.pull import Durable
from servicekit.messaging.streams import EVENTS, OPERATOR, STREAMS
from servicekit.telemetry.exposition import Exposition
from servicekit.testing.waiting import eventually, running
from sqlalchemy.engine import make_url

FIRST = """
from alembic import op
from servicekit.database.migrations import create_kit_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kit_tables(op)
"""


def test_exposition_serves_names_and_values_and_ends() -> None:
    exposition = Exposition("127.0.0.1:0")
    provider = MeterProvider(metric_readers=[exposition], shutdown_on_exit=False)
    provider.get_meter("test").create_gauge("bihuan.test.age", unit="s").set(2.5, {"stream": "S"})
    url = f"http://127.0.0.1:{exposition.port}/metrics"
    with urllib.request.urlopen(url) as answer:
        text = answer.read().decode()
    assert 'bihuan_test_age_seconds{stream="S"} 2.5' in text
    assert "process_resident_memory_bytes" in text
    provider.shutdown()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url)


async def test_lag_counts_what_is_stored_and_not_handled(
    bus: Bus, operator: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, dict[str, str]]] = []
    monkeypatch.setattr(lag_module.consumer_lag, "set", lambda value, labels: seen.append((value, labels)))
    durable = Durable(EVENTS, "intake", ["bihuan.intake.case.opened.v1"], 10)
    connection = await bus.connected()
    await connection.jetstream.add_consumer(EVENTS, config=durable.config())
    for _ in range(3):
        await operator.publish("bihuan.intake.case.opened.v1", CaseOpened().SerializeToString())
    reactions = Reactions("intake")
    monkeypatch.setattr(lag_module, "MEASURE_SECONDS", 0.05)
    async with running(measure_lag(bus, [durable], reactions)):
        # The server counts a little later than it stores.
        await eventually(lambda: (3, {"stream": EVENTS}) in seen)
    seen.clear()
    reactions.rest()
    async with running(measure_lag(bus, [durable], reactions)):
        await eventually(lambda: bool(seen))
    assert seen[0] == (0, {"stream": EVENTS}), "what nobody is there to hear for is no lag"


async def test_streams_are_provisioned_by_command_again_and_again(nats_server: EmbeddedNats) -> None:
    settings = ProvisionSettings(nats_url=nats_server.url, nats_password=nats_server.password(OPERATOR))
    await provision_streams(settings)
    await provision_streams(settings)
    async with Bus(nats_server.url, service=OPERATOR, user=OPERATOR, password=nats_server.password(OPERATOR)) as bus:
        names = {info.config.name for info in await (await bus.connected()).jetstream.streams_info()}
    assert names >= {stream.name for stream in STREAMS}


def test_provisioning_names_the_setting_that_is_missing() -> None:
    for module, missing in (
        ("servicekit.messaging.provision", "BIHUAN_NATS_URL"),
        ("servicekit.database.provision", "BIHUAN_DATABASE_ADMIN_URL"),
    ):
        done = subprocess.run([sys.executable, "-m", module], env={}, capture_output=True, text=True, check=False)
        assert (done.returncode, missing in done.stderr) == (2, True)


async def test_database_is_provisioned_and_awaited(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    """TRC-03: a pod of a new version waits until the migration has been run, and takes a newer database as well."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0001_first.py").write_text(FIRST)
    name = f"s{uuid4().hex[:12]}"
    url = make_url(postgres_server.url).set(
        drivername="postgresql+asyncpg", username=name, password="secret", database=name
    )
    own = url.render_as_string(hide_password=False)
    settings = database_provision.ProvisionSettings(database_url=own, database_admin_url=postgres_server.url)
    assert await database_provision.provision_database(settings) == name
    assert await database_provision.provision_database(settings) == name
    assert not await is_migrated(own, tmp_path)
    await migrate(own, tmp_path)
    assert await is_migrated(own, tmp_path)
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    await connection.execute("UPDATE alembic_version SET version_num = '0002'")
    await connection.close()
    assert await is_migrated(own, tmp_path), "an older version may come back"
    admin_url = make_url(postgres_server.url).set(drivername="postgresql")
    admin = await asyncpg.connect(admin_url.render_as_string(hide_password=False))
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.execute(f'DROP ROLE "{name}"')
    await admin.close()


async def test_role_and_database_of_different_names_are_refused(postgres_server: EmbeddedPostgres) -> None:
    url = "postgresql+asyncpg://intake:x@127.0.0.1:1/records"
    settings = database_provision.ProvisionSettings(database_url=url, database_admin_url=postgres_server.url)
    with pytest.raises(ValueError, match="one name"):
        await database_provision.provision_database(settings)

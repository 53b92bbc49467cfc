"""NATS and PostgreSQL go away in the middle and come back: nothing lost, nothing twice in effect, no loop dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest_asyncio
from bihuan.intake.v1.events_pb2 import CaseOpened
from servicekit.database import Database, UnitOfWork
from servicekit.embedded.nats import EmbeddedNats
from servicekit.messaging import Reactions, Received
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.relay import Relay
from servicekit.messaging.streams import OPERATOR, provision
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running
from sqlalchemy import text

CASES = 300


@pytest_asyncio.fixture
async def own_nats(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    """A durable server that this test may stop."""
    server = EmbeddedNats(tmp_path, ["intake"])
    await server.start()
    async with connect(server, OPERATOR) as operator:
        await provision((await operator.connected()).jetstream)
    yield server
    await server.stop()


class Effects:
    """Reactions whose effect is a row, so that what was rolled back is not counted."""

    def __init__(self) -> None:
        self.reactions = Reactions("intake")

        @self.reactions.on(CaseOpened)
        async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
            await tx.execute(text("INSERT INTO effects VALUES (:case_id)"), {"case_id": event.case_id})


async def effects(database: Database) -> Counter[str]:
    async with database.transaction("effects") as tx:
        return Counter((await tx.execute(text("SELECT case_id FROM effects"))).scalars())


async def test_nats_stops_and_starts_mid_stream(database: Database, own_nats: EmbeddedNats) -> None:
    cases = [str(uuid4()) for _ in range(CASES)]
    async with database.transaction("create") as tx:
        await tx.execute(text("CREATE TABLE effects (case_id text)"))
    async with connect(own_nats, "intake") as bus:
        relay = Relay(database, bus)
        database.on_commit_with_events(relay.wake)
        async with running(relay.run(), Consumer(database, bus, Effects().reactions).run()) as parts:
            for number, case_id in enumerate(cases):
                async with database.transaction("open") as tx:
                    tx.emit(CaseOpened(case_id=case_id), version=1)
                if number == CASES // 3:
                    os.kill(own_nats.pid, signal.SIGKILL)
                    await own_nats.process.wait(5)
                if number == 2 * CASES // 3:
                    await own_nats.start()

            async def all_there() -> bool:
                return len(await effects(database)) == CASES

            await eventually(all_there, seconds=60)
            assert not any(part.done() for part in parts)
    assert await effects(database) == Counter(cases)


async def test_postgres_connections_die_mid_stream(database: Database, own_nats: EmbeddedNats) -> None:
    cases = [str(uuid4()) for _ in range(CASES)]
    async with database.transaction("create") as tx:
        await tx.execute(text("CREATE TABLE effects (case_id text)"))
        for case_id in cases:
            tx.emit(CaseOpened(case_id=case_id), version=1)
    executioner = await database.dedicated_connection()
    async with connect(own_nats, "intake") as bus:
        relay = Relay(database, bus, batch=20)
        async with running(relay.run(), Consumer(database, bus, Effects().reactions).run()) as parts:
            for _ in range(5):
                await asyncio.sleep(0.05)
                await executioner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

            async def all_there() -> bool:
                return await executioner.fetchval("SELECT count(DISTINCT case_id) FROM effects") == CASES

            await eventually(all_there, seconds=60)
            assert not any(part.done() for part in parts)
    await executioner.close()
    assert await effects(database) == Counter(cases)

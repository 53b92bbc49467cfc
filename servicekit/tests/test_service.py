"""A service as a whole: it comes up with everything or not at all, and drains when it is told to stop."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import pytest
from bihuan.intake.v1.events_pb2 import CaseOpened
from bihuan.platform.v1 import inspection_pb2
from nats.js import JetStreamContext
from servicekit.clock import ManualClock
from servicekit.customerkeys import KeptKey
from servicekit.database import Database, UnitOfWork
from servicekit.database.tables import inbox
from servicekit.deadlines import DeadlineHandlers
from servicekit.identity.tokens import TokenVerifier
from servicekit.masterkey import prove_master_key
from servicekit.messaging import Bus, Reactions, Received
from servicekit.messaging.streams import EVENTS
from servicekit.sealing import Sealer
from servicekit.service import Platform, Service
from servicekit.settings import ServiceSettings
from servicekit.testing.waiting import eventually
from sqlalchemy import Table, func, insert, select
from sqlalchemy.schema import CreateTable
from structlog.testing import capture_logs

from standards import load

MASTER_KEY = bytes(32)
Build = Callable[..., Service]


class KeyAtStart(KeptKey, table=True):
    __tablename__ = "keys_at_start"


KEYS = KeyAtStart.metadata.tables["keys_at_start"]


async def create_keys(database: Database, *wrapped: bytes | None) -> None:
    async with database.transaction("create") as tx:
        await tx.execute(CreateTable(KEYS))
        for number, key in enumerate(wrapped):
            await tx.execute(insert(KEYS).values(customer_id=UUID(int=number), wrapped_key=key))


async def no_facts(tx: UnitOfWork, after: str, limit: int) -> Sequence[inspection_pb2.EntityFact]:
    return []


@pytest.fixture
def build(database: Database, bus: Bus, manual_clock: ManualClock) -> Build:
    """Makes a service of these reactions on the test's own database and bus."""

    def built(
        reactions: Reactions, drain_seconds: float = 5, listen: str = "127.0.0.1:0", keys: Table | None = None
    ) -> Service:
        settings = ServiceSettings(
            oidc_issuer="https://issuer.test",
            oidc_jwks="keys.json",
            database_url="postgresql+asyncpg://unused",
            nats_url="nats://unused",
            master_key=base64.b64encode(MASTER_KEY).decode(),
            grpc_listen=listen,
            drain_seconds=drain_seconds,
        )
        tokens = TokenVerifier(settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks)
        platform = Platform("intake", settings, load(), manual_clock, bus, database, Sealer(MASTER_KEY), tokens)
        return Service(
            platform,
            servicers=[],
            reactions=reactions,
            deadlines=DeadlineHandlers(),
            entity_facts=no_facts,
            customer_keys=keys,
        )

    return built


class SlowReaction:
    """A reaction on CaseOpened that lasts until it is released."""

    def __init__(self) -> None:
        self.reactions = Reactions("intake")
        self.entered, self.release = asyncio.Event(), asyncio.Event()

        @self.reactions.on(CaseOpened)
        async def case_opened(tx: UnitOfWork, event: CaseOpened, received: Received) -> None:
            self.entered.set()
            await self.release.wait()


async def open_case(database: Database) -> None:
    async with database.transaction("open") as tx:
        tx.emit(CaseOpened(case_id=str(uuid4())), version=1)


async def effects(database: Database) -> int:
    async with database.transaction("effects") as tx:
        return int(await tx.scalar(select(func.count()).select_from(inbox)))


async def test_what_is_in_hand_is_finished_before_the_end(
    build: Build, database: Database, operator: JetStreamContext
) -> None:
    slow = SlowReaction()
    running = asyncio.create_task(build(slow.reactions, drain_seconds=30).run())
    await open_case(database)
    await slow.entered.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.1)
    assert not running.done()
    slow.release.set()
    await running
    assert await effects(database) == 1

    async def acknowledged() -> bool:
        return (await operator.consumer_info(EVENTS, "intake")).num_ack_pending == 0

    # The server counts a little later than it reads.
    await eventually(acknowledged)


async def test_what_takes_too_long_is_undone(build: Build, database: Database) -> None:
    slow = SlowReaction()
    running = asyncio.create_task(build(slow.reactions, drain_seconds=0.1).run())
    await open_case(database)
    await slow.entered.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    assert await effects(database) == 0


async def test_a_taken_address_ends_the_service(build: Build) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        service = build(Reactions("intake"), listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(OSError, match="can't serve"):
            await service.run()


async def test_rec05_a_service_with_another_master_key_does_not_start(
    build: Build, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    await create_keys(database, None, Sealer(bytes(range(32))).new_key())
    with pytest.raises(SystemExit) as ended:
        await build(Reactions("intake"), keys=KEYS).run()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "Start the service with the master key that it began with." in told
    assert "请使用最初的主密钥启动该服务。" in told


@pytest.mark.parametrize("stored", [(), (None,), (b"damaged", Sealer(MASTER_KEY).new_key())])
async def test_rec05_the_master_key_fits_no_keys_and_all_but_a_damaged_one(
    database: Database, stored: tuple[bytes | None, ...]
) -> None:
    """It is not judged before the table is there: a database may not be migrated yet."""
    with capture_logs() as logs:
        await prove_master_key(database, Sealer(MASTER_KEY), KEYS)
        assert [entry["event"] for entry in logs] == ["master_key_unproved"]
        await create_keys(database, *stored)
        await prove_master_key(database, Sealer(MASTER_KEY), KEYS)
    assert len(logs) == 1

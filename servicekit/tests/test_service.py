"""A service as a whole: it comes up with everything or not at all, and drains when it is told to stop."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
from collections.abc import Callable, Sequence
from uuid import uuid4

import pytest
from bihuan.intake.v1.events_pb2 import CaseOpened
from bihuan.platform.v1 import inspection_pb2
from nats.js import JetStreamContext
from servicekit.clock import ManualClock
from servicekit.database import Database, UnitOfWork
from servicekit.database.tables import inbox
from servicekit.deadlines import DeadlineHandlers
from servicekit.identity.tokens import TokenVerifier
from servicekit.messaging import Bus, Reactions, Received
from servicekit.messaging.streams import EVENTS
from servicekit.sealing import Sealer
from servicekit.service import Platform, Service
from servicekit.settings import ServiceSettings
from sqlalchemy import func, select

from standards import load

MASTER_KEY = bytes(32)
Build = Callable[..., Service]


async def no_facts(tx: UnitOfWork, after: str, limit: int) -> Sequence[inspection_pb2.EntityFact]:
    return []


@pytest.fixture
def build(database: Database, bus: Bus, manual_clock: ManualClock) -> Build:
    """Makes a service of these reactions on the test's own database and bus."""

    def built(reactions: Reactions, drain_seconds: float = 5, listen: str = "127.0.0.1:0") -> Service:
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
        return Service(platform, servicers=[], reactions=reactions, deadlines=DeadlineHandlers(), entity_facts=no_facts)

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
    await asyncio.wait_for(slow.entered.wait(), 20)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.1)
    assert not running.done()
    slow.release.set()
    await asyncio.wait_for(running, 20)
    assert await effects(database) == 1
    assert (await operator.consumer_info(EVENTS, "intake")).num_ack_pending == 0


async def test_what_takes_too_long_is_undone(build: Build, database: Database) -> None:
    slow = SlowReaction()
    running = asyncio.create_task(build(slow.reactions, drain_seconds=0.1).run())
    await open_case(database)
    await asyncio.wait_for(slow.entered.wait(), 20)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 20)
    assert await effects(database) == 0


async def test_a_taken_address_ends_the_service(build: Build) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        service = build(Reactions("intake"), listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(OSError, match="can't serve"):
            await asyncio.wait_for(service.run(), 20)

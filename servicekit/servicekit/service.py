"""Puts a service together and runs it: the only place where the rooms of the kit meet."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

import asyncpg
import structlog
import uvloop
from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from servicekit import telemetry
from servicekit.clock import AdjustableClock, Clock, SystemClock
from servicekit.database import Database
from servicekit.database.outgoing import LAST_OFFSET
from servicekit.deadlines import DeadlineHandlers, DeadlineRunner
from servicekit.errors import Fault
from servicekit.garbage import collect_rarely
from servicekit.housekeeping import Housekeeper
from servicekit.identity.tokens import TokenVerifier
from servicekit.inspection import EntityFacts, InspectionServicer
from servicekit.masterkey import prove_master_key, refuse_to_start
from servicekit.messaging import Bus, Reactions
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.relay import Relay
from servicekit.pruning import Pruning
from servicekit.rpc.server import Server, Servicer
from servicekit.sealing import Sealer
from servicekit.settings import ServiceSettings, read_settings
from servicekit.tasks import end
from standards import Standards, load

MIGRATION_POLL_SECONDS = 1.0
# How long a service waits for NATS to tell the platform's time before it looks elsewhere.
CLOCK_PATIENCE_SECONDS = 3.0
# After a background part has failed.
BEGIN_AGAIN_SECONDS = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Platform:
    """What a service stands on. Nothing is connected yet when it is created."""

    name: str
    settings: ServiceSettings
    standards: Standards
    clock: Clock
    bus: Bus
    database: Database
    sealer: Sealer
    tokens: TokenVerifier

    @classmethod
    def create(cls, name: str, settings: ServiceSettings) -> Self:
        """Raises StandardsError when the operator's standards are wrong."""
        bus = Bus(
            settings.nats_url,
            service=name,
            user=settings.nats_user,
            password=settings.nats_password.get_secret_value(),
        )
        clock: Clock = AdjustableClock(bus) if settings.clock_adjustable else SystemClock()
        return cls(
            name=name,
            settings=settings,
            standards=load(settings.standards_dir),
            clock=clock,
            bus=bus,
            database=Database(name, settings.database_url.get_secret_value(), clock, settings.database_pool),
            sealer=Sealer(settings.master_key_bytes),
            tokens=TokenVerifier(settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks),
        )


Part = Callable[[], Coroutine[Any, Any, None]]


class Service:
    """A running service: it serves calls, relays its outbox, reacts to messages and fires its deadlines."""

    def __init__(
        self,
        platform: Platform,
        *,
        servicers: Sequence[Servicer],
        reactions: Reactions,
        deadlines: DeadlineHandlers,
        entity_facts: EntityFacts,
        partitioned: Mapping[str, str] | None = None,
        prunings: Mapping[str, Pruning] | None = None,
        background: Mapping[str, Part] | None = None,
        handles_together: bool = False,
        customer_keys: Table | None = None,
    ) -> None:
        """`partitioned`: tables that grow for ever, each with its time column. `prunings`: what is deleted in batches
        once a day besides the kit's own, by name. `background`: what else runs, by name, until it is cancelled; when it
        fails it begins again a moment later, and the service goes on. `handles_together`: messages that come within a
        moment share a transaction, for a service that nobody waits for. `customer_keys`: the table of customers' keys,
        which the master key must fit."""
        self._platform = platform
        settings, database, bus = platform.settings, platform.database, platform.bus
        self._relay = Relay(database, bus, batch=settings.relay_batch)
        self._consumer = Consumer(
            database, bus, reactions, concurrency=settings.consumer_concurrency, together=handles_together
        )
        self._background = background or {}
        self._customer_keys = customer_keys
        self._deadlines = DeadlineRunner(database, platform.clock, deadlines)
        self._housekeeper = Housekeeper(database, platform.clock, partitioned or {}, prunings)
        database.on_commit_with_events(self._relay.wake)
        inspection = InspectionServicer(database, bus, reactions, entity_facts)
        self._server = Server(
            settings.grpc_listen,
            [*servicers, inspection.servicer],
            tokens=platform.tokens,
            is_ready=database.is_reachable,
        )

    async def run(self) -> None:
        """Runs until SIGTERM or SIGINT, then drains. Raises when a part of it fails for good.

        With a wrong master key it ends before it has done anything (exit status 2).
        """
        stop = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, stop.set)
        if self._customer_keys is not None:
            proof = prove_master_key(self._platform.database, self._platform.sealer, self._customer_keys)
            try:
                await _first(proof, stop)
            except Fault as wrong:
                refuse_to_start(wrong)
        await self._platform.bus.start()
        parts = {"relay": self._relay.run, "consumer": self._consumer.run}
        if isinstance(self._platform.clock, AdjustableClock):
            follow = asyncio.create_task(self._platform.clock.follow(), name="clock")
            await _first(learn_time(self._platform.clock, self._platform.database), stop)
        else:
            follow = None
        parts |= {
            "deadlines": self._deadlines.run,
            "housekeeping": self._housekeeper.run,
            **{name: partial(_keep, name, part) for name, part in self._background.items()},
        }
        tasks = {name: asyncio.create_task(part(), name=name) for name, part in parts.items()}
        if follow:
            tasks["clock"] = follow
        try:
            await self._server.start()
            await _until_stopped(stop, tasks.values())
        finally:
            log.info("service_stopping")
            await self._drain(tasks["consumer"], tasks["deadlines"])
            await _end(tasks.values())
            await self._platform.bus.stop()
            await self._platform.database.close()
            log.info("service_stopped")

    async def _drain(self, *finishing: asyncio.Task[None]) -> None:
        """Lets the calls, reactions and clocks in hand end; what takes longer is undone, and comes again later."""
        seconds = self._platform.settings.drain_seconds
        self._consumer.stop()
        self._deadlines.stop()
        await asyncio.gather(self._server.stop(seconds), asyncio.wait(finishing, timeout=seconds))


async def learn_time(clock: AdjustableClock, database: Database, patience: float = CLOCK_PATIENCE_SECONDS) -> None:
    """Returns when `clock` knows platform time: from NATS, or while that is away as of the last event written here.

    With neither of them nothing can be dated, and this waits.
    """
    while True:
        try:
            return await asyncio.wait_for(clock.ready(), patience)
        except TimeoutError:
            log.warning("clock_unknown")
        with contextlib.suppress(Fault, asyncpg.PostgresError):
            async with database.transaction("last_offset") as tx:
                last = await tx.fetch(LAST_OFFSET)
            if last:
                clock.assume(last[0]["ahead"])
                log.warning("clock_assumed", offset_seconds=clock.offset.total_seconds())
                return None


async def _keep(name: str, part: Part) -> None:
    """Runs a background part for ever. It may begin before the database is there or migrated."""
    while True:
        try:
            await part()
        except Exception:
            log.exception("background_failed", part=name)
        await asyncio.sleep(BEGIN_AGAIN_SECONDS)


async def _first(awaitable: Awaitable[None], stop: asyncio.Event) -> None:
    """Waits for `awaitable`, or for being told to stop. Raises what `awaitable` raises."""
    awaited, stopped = asyncio.ensure_future(awaitable), asyncio.ensure_future(stop.wait())
    await asyncio.wait([awaited, stopped], return_when=asyncio.FIRST_COMPLETED)
    await _end([awaited, stopped])
    if not awaited.cancelled():
        awaited.result()


async def _until_stopped(stop: asyncio.Event, tasks: Collection[asyncio.Task[None]]) -> None:
    """A part that ends by itself takes the process down: the supervisor starts a whole one again."""
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in done - {stopped}:
        log.error("part_ended", part=task.get_name(), error=repr(task.exception()))
        raise SystemExit(1)


async def _end(tasks: Collection[asyncio.Future[Any]]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await end(tasks)


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def run(build: Callable[[SettingsT], Service], kind: type[SettingsT]) -> None:
    """The main function of a service: `python -m intake` serves, `python -m intake migrate` migrates its database, and
    `python -m intake await-migration` ends when somebody else has done so."""
    package = build.__globals__["__package__"]  # `intake`: `build` stands in its __main__, whose own name says nothing
    arguments = argparse.ArgumentParser(prog=f"python -m {package}")
    arguments.add_argument("action", nargs="?", choices=["serve", "migrate", "await-migration"], default="serve")
    action = arguments.parse_args().action
    settings = read_settings(kind)
    telemetry.setup(package, settings)
    try:
        match action:
            case "serve":
                uvloop.run(_serve(build, settings))
            case "migrate":
                uvloop.run(_migrate(package, settings))
            case _:
                uvloop.run(_await_migration(package, settings))
    finally:
        telemetry.shutdown()


async def _serve(build: Callable[[SettingsT], Service], settings: SettingsT) -> None:
    service = build(settings)
    collect_rarely()
    await service.run()


async def _migrate(package: str, settings: ServiceSettings) -> None:
    from servicekit.database.migrations import migrate, migrations_of  # noqa: PLC0415 -- alembic costs 0.1 s at start; serving has none

    await migrate(settings.database_url.get_secret_value(), migrations_of(package))
    log.info("migrated")


async def _await_migration(package: str, settings: ServiceSettings) -> None:
    """Returns when the database suits this version; it may be away, or not exist yet."""
    from servicekit.database.migrations import is_migrated, migrations_of  # noqa: PLC0415 -- as above

    while True:
        try:
            if await is_migrated(settings.database_url.get_secret_value(), migrations_of(package)):
                return
            log.info("migration_awaited")
        except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
            log.info("database_awaited", reason=str(error))
        await asyncio.sleep(MIGRATION_POLL_SECONDS)


__all__ = ["Platform", "Service", "run"]

"""A service's way to its PostgreSQL database: pool, transactions, retries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from opentelemetry import trace
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from servicekit.database.trouble import DatabaseAwayError, OutcomeUnknownError, is_database_trouble, is_outcome_unknown
from servicekit.database.unit_of_work import UnitOfWork
from servicekit.errors import Fault
from servicekit.telemetry import names
from servicekit.telemetry.spans import inner_span

CONNECT_SECONDS = 5.0
# After a rush, connections that nobody has used for so long end: each is a process of PostgreSQL's with megabytes of
# its own, and every service may have ten.
IDLE_SECONDS = 30.0
RETRIES = 2
_RETRY_SECONDS = 0.05

if TYPE_CHECKING:
    from servicekit.clock import Clock

T = TypeVar("T")

_tracer = trace.get_tracer("servicekit.database")


class Database:
    """The pool of connections of one service. Connects when first used, so PostgreSQL may come later or go away."""

    def __init__(
        self, service: str, url: str, clock: Clock, pool: int = 10, *, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.service = service
        self._clock = clock
        self._url = make_url(url).set(drivername="postgresql+asyncpg")
        self.engine = create_async_engine(
            self._url,
            pool_size=pool + 1,  # one for health checks: a service that is busy is not ill
            max_overflow=0,
            pool_use_lifo=True,  # the last one used is taken again, so that the others can go idle
            # BEGIN and COMMIT are ours, so that Core statements and the driver's own share a transaction.
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,  # errors are logged, and parameters are what people told us
            connect_args={
                "timeout": CONNECT_SECONDS,
                "server_settings": {
                    "application_name": service,
                    # PostgreSQL itself ends them, and `_refuse_closed` has them replaced when they are wanted again.
                    # Where both meet, BEGIN fails as it does when PostgreSQL restarts, and nothing was begun.
                    "idle_session_timeout": f"{round(idle_seconds * 1000)}ms",
                },
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        # The pool is unfair when more callers wait than it has connections; this queue is first come, first served.
        self._slots = asyncio.Semaphore(pool)
        self._checking = asyncio.Lock()
        self._wake_relay: list[Callable[[], None]] = []

    @asynccontextmanager
    async def transaction(self, name: str, *, links: Sequence[trace.Link] = ()) -> AsyncIterator[UnitOfWork]:
        """One transaction: committed when the block ends, undone when it raises.

        `name` tells it from others in traces. Raises Fault("unavailable") when PostgreSQL is away or had to give the
        transaction up; everything else that the block raises passes unchanged. No remote call belongs inside.
        """
        with inner_span(_tracer, names.SPAN_TRANSACTION, {names.TRANSACTION: name}, links):
            try:
                async with self._slots, self._connected() as (connection, driver):
                    await driver.execute("BEGIN")
                    work = UnitOfWork(connection, driver, service=self.service, now=self._clock.now())
                    try:
                        yield work
                        has_events = await work.flush()
                        await _commit(driver)
                    finally:
                        await work.close()
            except Exception as exc:
                if not isinstance(exc, Fault) and is_database_trouble(exc):
                    raise Fault("unavailable") from exc
                raise
            work.committed()
            if has_events:
                for wake in self._wake_relay:
                    wake()

    async def run(
        self, name: str, work: Callable[[UnitOfWork], Awaitable[T]], *, links: Sequence[trace.Link] = ()
    ) -> T:
        """Do `work` in a transaction of its own; when the database had to give it up, do it again (twice at most).

        `work` must be safe to repeat from its start. A lost connection during the commit is not repeated, because the
        transaction may have happened: the caller gets Fault("unavailable") and asks again with its idempotency key.
        """
        for attempt in range(RETRIES + 1):
            try:
                async with self.transaction(name, links=links) as tx:
                    return await work(tx)
            except Fault as fault:
                repeatable = is_database_trouble(fault) and not isinstance(fault.__cause__, OutcomeUnknownError)
                if not repeatable or attempt == RETRIES:
                    raise
            await asyncio.sleep(_RETRY_SECONDS * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        raise AssertionError("the last attempt returns or raises")

    def on_commit_with_events(self, wake: Callable[[], None]) -> None:
        """Call `wake` after every commit that left rows in the outbox."""
        self._wake_relay.append(wake)

    async def dedicated_connection(self, settings: Mapping[str, str] | None = None) -> asyncpg.Connection[Any]:
        """A connection outside the pool, for what holds one for long: advisory locks, LISTEN. The caller closes it.

        `settings` of PostgreSQL hold for this connection only.
        """
        try:
            return await asyncpg.connect(
                self._url.set(drivername="postgresql").render_as_string(hide_password=False),
                timeout=CONNECT_SECONDS,
                server_settings={"application_name": f"{self.service} dedicated", **(settings or {})},
            )
        except (OSError, TimeoutError) as exc:
            raise DatabaseAwayError(str(exc)) from exc

    async def is_reachable(self) -> bool:
        """Whether PostgreSQL answers at this moment, within seconds; for health checks."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS), self._checking, self._connected() as (_, driver):
                await driver.execute("SELECT 1")
        except TimeoutError:
            return False
        except Exception as exc:
            if is_database_trouble(exc):
                return False
            raise
        return True

    async def close(self) -> None:
        """Close the pooled connections."""
        await self.engine.dispose()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection[Any]]]:
        """A pooled connection, and the driver's own one below it."""
        connection = self.engine.connect()
        try:
            await connection.start()
        except (OSError, TimeoutError) as exc:
            # A refused or timed-out connect is not wrapped by SQLAlchemy.
            raise DatabaseAwayError(str(exc)) from exc
        assert connection.sync_connection is not None, "the connection is started"
        driver: asyncpg.Connection[Any] = connection.sync_connection.connection.driver_connection
        try:
            yield connection, driver
        finally:
            await asyncio.shield(_give_back(connection, driver))


async def _commit(driver: asyncpg.Connection[Any]) -> None:
    try:
        done = await driver.execute("COMMIT")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as exc:
        if is_outcome_unknown(exc):
            raise OutcomeUnknownError("the connection was lost during the commit") from exc
        raise
    if done != "COMMIT":
        # So PostgreSQL answers when a statement had failed and its error was swallowed.
        raise RuntimeError("the transaction had failed before its commit and was rolled back")


async def _give_back(connection: AsyncConnection, driver: asyncpg.Connection[Any]) -> None:
    """Returns the connection to the pool; what was begun on it and not committed is undone."""
    try:
        if not driver.is_closed() and driver.is_in_transaction():
            await driver.execute("ROLLBACK")
    except Exception:
        # Whatever is wrong with it: the pool replaces a closed connection, and the server undoes the transaction.
        driver.terminate()
    finally:
        await connection.close()


def _refuse_closed(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """Make the pool replace a connection that the server has closed meanwhile, without a round trip to find out."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError

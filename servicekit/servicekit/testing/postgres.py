"""PostgreSQL for tests: one embedded server for the run, one fresh database for each test that asks.

In `services/NAME/tests` it has the tables of that service, elsewhere the kit's only.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import NullPool
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from servicekit.clock import ManualClock
from servicekit.database import Database
from servicekit.database.migrations import kit_tables, migrate
from servicekit.embedded.postgres import EmbeddedPostgres

# A Monday, an ordinary working day, nine o'clock in China.
TEST_START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

# Databases with a service's tables, made once a run and copied for each test: a copy takes milliseconds.
_templates: dict[tuple[int, Path | None], str] = {}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A running server without durability, shared by the whole run; its `url` is the administrator's."""
    with server_folder("postgres") as home:
        server = EmbeddedPostgres(home, durable=False)
        asyncio.run(server.start())
        yield server
        asyncio.run(server.stop())


@contextmanager
def server_folder(name: str) -> Iterator[Path]:
    """A temporary folder for a server's data, open to the other user that it may run as; pytest's own are not."""
    home = Path(tempfile.mkdtemp(prefix=f"bihuan-test-{name}-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home)


@pytest.fixture
def service_name(request: pytest.FixtureRequest) -> str:
    """The service whose test it is; of the kit's own tests any one."""
    folder = request.path.parents[1]
    return folder.name if folder.parent.name == "services" else "intake"


@pytest.fixture
def migrations(request: pytest.FixtureRequest) -> Path | None:
    """The `migrations` of the service whose test it is; None for the kit's tables only."""
    folder = request.path.parents[1] / "migrations"
    return folder if folder.is_dir() else None


@pytest.fixture
def manual_clock() -> ManualClock:
    """Platform time that stands still until the test advances it; starts at `TEST_START`."""
    return ManualClock(TEST_START)


@pytest_asyncio.fixture
async def database_template(postgres_server: EmbeddedPostgres, migrations: Path | None) -> str:
    """The name of a migrated database to copy."""
    key = (postgres_server.pid, migrations)
    if key not in _templates:
        name = f"template_{uuid4().hex}"
        await _administer(postgres_server, f'CREATE DATABASE "{name}"')
        url = _url_of(postgres_server, name)
        if migrations is None:
            await _create_kit_tables(url)
        else:
            await migrate(url, migrations)
        _templates[key] = name
    return _templates[key]


@pytest_asyncio.fixture
async def database_url(postgres_server: EmbeddedPostgres, database_template: str) -> AsyncIterator[str]:
    """URL of a database of the test's own, migrated and empty."""
    name = f"test_{uuid4().hex}"
    # Without fsync a copy of the files is several times faster than the default, which goes through the log.
    await _administer(postgres_server, f'CREATE DATABASE "{name}" TEMPLATE "{database_template}" STRATEGY FILE_COPY')
    yield _url_of(postgres_server, name)
    await _administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest_asyncio.fixture
async def database(database_url: str, service_name: str, manual_clock: ManualClock) -> AsyncIterator[Database]:
    """A `Database` of the test's own, on `manual_clock`."""
    database = Database(service_name, database_url, manual_clock)
    yield database
    await database.close()


async def _administer(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(_url_of(server, "postgres").replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _create_kit_tables(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(kit_tables().create_all)
    await engine.dispose()


def _url_of(server: EmbeddedPostgres, database: str) -> str:
    return make_url(server.url).set(database=database).render_as_string(hide_password=False)

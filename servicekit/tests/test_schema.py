"""Migrations, partitions and provisioning against a real server."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from servicekit.database import Database
from servicekit.database.migrations import expected_head, migrate
from servicekit.database.partitions import create_default_partition, ensure_months
from servicekit.database.provisioning import provision
from sqlalchemy import text

FIRST = """
from alembic import op
from servicekit.database.migrations import create_kit_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kit_tables(op)
    op.execute("CREATE TABLE cases (id uuid PRIMARY KEY)")
"""
SECOND = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE cases ADD COLUMN stage text")
    {further}
"""


def revisions(folder: Path, *, further: str = "") -> Path:
    (folder / "versions").mkdir()
    (folder / "versions" / "0001_first.py").write_text(FIRST)
    (folder / "versions" / "0002_second.py").write_text(SECOND.format(further=further))
    return folder


@pytest.fixture
async def service_url(postgres_server):
    """A provisioned service's database."""
    yield await provision(postgres_server.url, "quality_test", "it's a \\ pass%word")
    await as_admin(postgres_server, "DROP DATABASE quality_test WITH (FORCE)", "DROP ROLE quality_test")


async def as_admin(server, *statements: str) -> None:
    connection = await asyncpg.connect(server.url.replace("+asyncpg", ""))
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return {row["tablename"] for row in rows}


async def test_replicas_that_start_at_once_migrate_once(service_url, tmp_path):
    migrations = revisions(tmp_path)
    assert expected_head(migrations) == "0002"
    await asyncio.gather(*(migrate(service_url, migrations) for _ in range(4)))
    assert {"outbox", "inbox", "inbox_failures", "idempotency_keys", "cases"} <= await tables(service_url)
    await migrate(service_url, migrations)


async def test_a_failed_migration_leaves_nothing(service_url, tmp_path):
    migrations = revisions(tmp_path, further='op.execute("SELECT 1/0")')
    with pytest.raises(Exception, match="division by zero"):
        await migrate(service_url, migrations)
    assert await tables(service_url) == set()


async def test_each_service_gets_into_its_own_database_only(postgres_server, service_url):
    connection = await asyncpg.connect(service_url.replace("+asyncpg", ""))
    await connection.execute("CREATE TABLE mine (id int)")
    await connection.execute("CREATE EXTENSION pg_trgm")
    await connection.close()
    other = await provision(postgres_server.url, "other_test", "x")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(other.replace("+asyncpg", "").removesuffix("other_test") + "quality_test")
    finally:
        await as_admin(postgres_server, "DROP DATABASE other_test", "DROP ROLE other_test")


async def test_provisioning_again_changes_the_password_and_nothing_else(postgres_server, service_url, tmp_path):
    await migrate(service_url, revisions(tmp_path))
    urls = await asyncio.gather(*(provision(postgres_server.url, "quality_test", "new") for _ in range(3)))
    assert "cases" in await tables(urls[0])
    with pytest.raises(asyncpg.InvalidPasswordError):
        await tables(service_url)


@pytest.mark.parametrize("name", ["", "a b", 'x"; DROP ROLE postgres', "Ä"])
async def test_a_service_name_must_be_an_identifier(postgres_server, name):
    with pytest.raises(ValueError, match="not a name"):
        await provision(postgres_server.url, name, "x")


@pytest.fixture
async def events(database: Database):
    async with database.transaction("make") as tx:
        await tx.execute(text("CREATE TABLE happenings (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at)"))
        await tx.execute(text("CREATE INDEX happenings_id ON happenings (id)"))
        await tx.connection.run_sync(
            lambda connection: create_default_partition(
                Operations(MigrationContext.configure(connection)), "happenings"
            )
        )


async def where(database: Database) -> list[tuple[int, str]]:
    async with database.transaction("look") as tx:
        rows = await tx.execute(text("SELECT id, tableoid::regclass::text FROM happenings ORDER BY id"))
        return [tuple(row) for row in rows]


async def insert(database: Database, number: int, at: datetime) -> None:
    async with database.transaction("insert") as tx:
        await tx.execute(text("INSERT INTO happenings VALUES (:id, :at)"), {"id": number, "at": at})


async def test_months_are_made_ahead_and_only_once(database, events):
    async def ensure() -> list[str]:
        async with database.transaction("housekeeping") as tx:
            return await ensure_months(tx, "happenings", "at", ahead=2)

    made = await asyncio.gather(ensure(), ensure())
    assert sorted(made, key=len) == [[], ["happenings_2026_03", "happenings_2026_04", "happenings_2026_05"]]


async def test_rows_find_a_place_before_and_after_their_month_is_made(database, events, manual_clock):
    await insert(database, 1, datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    await insert(database, 2, datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
    await insert(database, 3, datetime(2027, 1, 1, tzinfo=UTC))
    assert {place for _, place in await where(database)} == {"happenings_default"}
    async with database.transaction("housekeeping") as tx:
        await ensure_months(tx, "happenings", "at", ahead=0)
    manual_clock.advance(timedelta(days=300))
    async with database.transaction("housekeeping") as tx:
        assert await ensure_months(tx, "happenings", "at", ahead=1) == ["happenings_2026_12", "happenings_2027_01"]
    assert await where(database) == [
        (1, "happenings_2026_03"),
        (2, "happenings_2026_12"),
        (3, "happenings_2027_01"),
    ]


async def test_a_name_that_is_no_identifier_never_reaches_the_database(database):
    async with database.transaction("housekeeping") as tx:
        with pytest.raises(ValueError, match="not the name"):
            await ensure_months(tx, "x; DROP TABLE outbox", "at")

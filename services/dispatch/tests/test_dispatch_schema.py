"""The migrations build exactly the tables that the code knows."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from dispatch.alarms.tables import ALARMS
from dispatch.incidents.tables import HISTORY, INCIDENTS, PARTITIONED
from dispatch.slots.tables import RESERVATIONS
from dispatch.words import CUSTOMER_KEYS
from servicekit.database import Database
from sqlalchemy import Connection, MetaData

OURS = (INCIDENTS, HISTORY, ALARMS, RESERVATIONS, CUSTOMER_KEYS)


def differences(connection: Connection) -> list[object]:
    metadata = MetaData()
    for table in OURS:
        table.to_metadata(metadata)
    names = {table.name for table in OURS}

    def is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or name in names

    context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": True})
    return compare_metadata(context, metadata)


async def test_migrations_and_tables_agree(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_partitioned_tables_are_known() -> None:
    assert {table.name for table in OURS} >= PARTITIONED.keys()

"""Whether a service's migrations build the tables that its code knows."""

from __future__ import annotations

from collections.abc import Collection

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table

from servicekit.database import Database


async def schema_differences(
    database: Database, tables: Collection[Table], *, compare_types: bool = True
) -> list[object]:
    """What Alembic would change in a migrated database to make these tables; empty where both agree."""

    def differences(connection: Connection) -> list[object]:
        metadata = MetaData()
        for table in tables:
            table.to_metadata(metadata)
        names = {table.name for table in tables}

        def is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
            return kind != "table" or name in names

        opts = {"include_object": is_ours, "compare_type": compare_types}
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=opts), metadata)
        return found

    async with database.engine.connect() as connection:
        return await connection.run_sync(differences)

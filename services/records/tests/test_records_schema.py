"""The migrations build exactly the tables that the code knows."""

from records.accesses.tables import REQUESTS
from records.files.tables import ACCESSES, PARTITIONED, RECORDS, VERSIONS
from records.log.tables import ENTRIES, HEADS, KEYS, TILES
from records.retention.tables import DESTRUCTIONS, HOLDS
from servicekit.database import Database
from servicekit.testing.schema import schema_differences

OURS = (RECORDS, VERSIONS, ACCESSES, REQUESTS, HOLDS, DESTRUCTIONS, ENTRIES, TILES, HEADS, KEYS)


async def test_migrations_and_tables_agree(database: Database) -> None:
    # Texts are TEXT in every migration, whatever a model says: types are not compared.
    assert await schema_differences(database, OURS, compare_types=False) == []


def test_partitioned_tables_are_known() -> None:
    assert {table.name for table in OURS} >= PARTITIONED.keys()

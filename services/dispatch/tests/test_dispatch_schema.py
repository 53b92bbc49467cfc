"""The migrations build exactly the tables that the code knows."""

from dispatch.alarms.tables import ALARMS
from dispatch.incidents.tables import HISTORY, INCIDENTS, PARTITIONED
from dispatch.slots.tables import RESERVATIONS
from dispatch.words import CUSTOMER_KEYS
from servicekit.database import Database
from servicekit.testing.schema import schema_differences

OURS = (INCIDENTS, HISTORY, ALARMS, RESERVATIONS, CUSTOMER_KEYS)


async def test_migrations_and_tables_agree(database: Database) -> None:
    assert await schema_differences(database, OURS) == []


def test_partitioned_tables_are_known() -> None:
    assert {table.name for table in OURS} >= PARTITIONED.keys()

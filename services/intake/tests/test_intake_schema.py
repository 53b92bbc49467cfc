"""The migrations build exactly the tables that the code knows."""

from intake.appointments.tables import APPOINTMENTS
from intake.cases.tables import CASES, HISTORY, PARTITIONED, TEXTS
from intake.customers.tables import CUSTOMERS
from intake.outages.tables import OUTAGES
from servicekit.database import Database
from servicekit.testing.schema import schema_differences

OURS = (CASES, HISTORY, TEXTS, CUSTOMERS, APPOINTMENTS, OUTAGES)


async def test_migrations_and_tables_agree(database: Database) -> None:
    assert await schema_differences(database, OURS) == []


def test_partitioned_tables_are_known() -> None:
    assert {table.name for table in OURS} >= PARTITIONED.keys()

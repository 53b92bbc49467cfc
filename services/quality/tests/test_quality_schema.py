"""The migrations build exactly the tables that the code knows."""

from quality.alerts.tables import ALERTS
from quality.figures.tables import CONTRIBUTIONS, PARTITIONED
from quality.observations.tables import CHANGES, GENERATIONS, OBSERVATIONS
from quality.reports.tables import REPORTS
from servicekit.database import Database
from servicekit.testing.schema import schema_differences

OURS = (GENERATIONS, OBSERVATIONS, CHANGES, CONTRIBUTIONS, ALERTS, REPORTS)


async def test_migrations_and_tables_agree(database: Database) -> None:
    assert await schema_differences(database, OURS) == []


def test_partitioned_tables_are_known() -> None:
    assert {table.name for table in OURS} >= PARTITIONED.keys()

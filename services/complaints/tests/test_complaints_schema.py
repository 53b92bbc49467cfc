"""The migrations build exactly the tables that the code knows."""

from complaints.causes import CAUSES
from complaints.complainants import COMPLAINANTS
from complaints.complaints.tables import COMPLAINTS, HISTORY, PARTITIONED, TEXTS
from complaints.disputes import DISPUTES
from complaints.improvements import IMPROVEMENTS
from complaints.indicator_improvements.tables import INDICATOR_IMPROVEMENTS
from complaints.investigations import INVESTIGATIONS
from complaints.remedies import REMEDIES
from servicekit.database import Database
from servicekit.testing.schema import schema_differences

LEARNING = (CAUSES, IMPROVEMENTS, INDICATOR_IMPROVEMENTS)
OURS = (COMPLAINTS, HISTORY, TEXTS, COMPLAINANTS, REMEDIES, INVESTIGATIONS, DISPUTES, *LEARNING)


async def test_migrations_and_tables_agree(database: Database) -> None:
    assert await schema_differences(database, OURS) == []


def test_partitioned_tables_are_known() -> None:
    assert {table.name for table in OURS} >= PARTITIONED.keys()

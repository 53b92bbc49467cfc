"""The migrations build exactly the tables that the code knows."""

from partners.feed.tables import EVENT_REGIONS
from partners.registry.tables import PARTNERS
from partners.webhooks.tables import DELIVERIES, ENDPOINTS, SECRETS
from servicekit.database import Database
from servicekit.testing.schema import schema_differences

OURS = (PARTNERS, EVENT_REGIONS, ENDPOINTS, SECRETS, DELIVERIES)


async def test_migrations_and_tables_agree(database: Database) -> None:
    assert await schema_differences(database, OURS, compare_types=False) == []

"""A database that does not let the service in yet, as before its migration job, ends no part of it."""

import asyncio

from partners.feed.provisioning import FeedProvisioner
from partners.webhooks.courier import Courier
from servicekit.database import Database
from servicekit.messaging import Reactions
from servicekit.testing.waiting import running


async def test_courier_and_feeds_wait_for_a_database_that_refuses_them(desk, bus, database_url) -> None:
    stranger = database_url.replace("//", "//nobody:wrong@", 1)
    if "@" in database_url:
        stranger = f"{database_url.split('//')[0]}//nobody:wrong@{database_url.rpartition('@')[2]}"
    away = Database("partners", stranger, desk.clock)
    try:
        courier = Courier(away, desk.policy, desk.sealer, desk.receivers)
        async with running(courier.run(), FeedProvisioner(away, bus, None, Reactions("partners")).run()) as parts:
            await asyncio.wait(parts, timeout=1)
            assert [part for part in parts if part.done()] == []
    finally:
        await away.close()

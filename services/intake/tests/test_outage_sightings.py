"""Counting an area's unsolved fault reports on a real database (INT-15)."""

from datetime import timedelta

from intake.outages import store
from intake.outages.rules import Area, Sightings
from sqlalchemy import text

TIANHE = Area("cn.gd.gz.tianhe", "internet_access")
YUEXIU = Area("cn.gd.gz.yuexiu", "internet_access")


async def test_int15_each_customer_counts_once_and_only_in_the_window(office, a_request, app) -> None:
    """The window's first moment is part of it."""
    first, second, third = [
        (await office.open(a_request(phone=f"1390000000{number}"), app)).case for number in range(3)
    ]
    since = first.accepted_at
    async with office.database.transaction("move") as tx:
        earlier = {"id": third.case_id, "at": since - timedelta(microseconds=1)}
        await tx.execute(text("UPDATE cases SET accepted_at = :at WHERE case_id = :id"), earlier)
        assert await store.sightings(tx, [TIANHE, YUEXIU], since) == {TIANHE: Sightings(2, since)}
        same = {"id": second.case_id, "customer": first.customer_id}
        await tx.execute(text("UPDATE cases SET customer_id = :customer WHERE case_id = :id"), same)
        assert await store.sightings(tx, [TIANHE, YUEXIU], since) == {TIANHE: Sightings(1, since)}

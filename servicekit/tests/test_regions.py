"""Regions as dotted paths."""

from servicekit.database import Database
from servicekit.regions import lies_in, regions_upwards
from sqlalchemy import literal, select


def test_a_region_lies_in_itself_and_in_all_above_it() -> None:
    assert regions_upwards("cn.gd.gz") == ["cn.gd.gz", "cn.gd", "cn"]


async def test_lies_in_stops_at_the_dots(database: Database) -> None:
    expected = {"cn.gd": True, "cn.gd.gz": True, "cn.gdx": False, "cn": False, "cnxgd": False}
    async with database.transaction("regions") as tx:
        found = {region: await tx.scalar(select(lies_in(literal(region), "cn.gd"))) for region in expected}
        nobodys = await tx.scalar(select(lies_in(literal("cn"), "")))
    assert found == expected
    assert nobodys is False

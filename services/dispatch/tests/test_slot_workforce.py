"""Slots are judged by those engineers who matter for them, and by no others (DSP-05)."""

from dispatch.slots.planning import board_of
from dispatch.work_orders.assignment import Need
from servicekit.windows import Window

BROADBAND = Need("cn.gd.gz", "broadband_repair", "junior")


async def board(planner, need=BROADBAND):
    window = Window(planner.start, planner.next_start)
    async with planner.database.transaction("board") as tx:
        return await board_of(tx, window, need, planner.policy)


async def test_engineers_of_other_territories_and_skills_are_not_read(planner, depot):
    here = [await planner.hire("city", territory="cn.gd.gz"), await planner.hire("province", territory="cn.gd")]
    far = await planner.hire("far", territory="cn.gd.sz")
    other = await planner.hire("other", skill="tv_service")
    await planner.hire("too late", days=1)
    await planner.hold(region="cn.gd.sz")
    held = await planner.hold(skill="tv_service")
    assert held.engineer_id == other
    seen = await board(planner)
    assert {worker.engineer.engineer_id for worker in seen.workers} == set(here)
    assert seen.reservations == []
    elsewhere = await board(planner, Need("cn.gd.sz", "broadband_repair", "junior"))
    assert {worker.engineer.engineer_id for worker in elsewhere.workers} == {here[1], far}


async def test_dsp_05_room_is_made_along_others_of_other_territories_and_skills(planner, depot):
    """City hands a television visit on to province, which hands one of another city on to whoever works there."""
    city = await planner.hire("city", territory="cn.gd.gz")
    await depot.grant(city, "tv_service", "middle")
    province = await planner.hire("province", territory="cn.gd", skill="tv_service")
    assert (await planner.hold(region="cn.gd.sz", skill="tv_service")).engineer_id == province
    assert (await planner.hold(skill="tv_service")).engineer_id == city
    assert await planner.free() == 0
    await planner.hire("unconcerned", territory="cn.sc", skill="tv_service")
    await planner.hire("elsewhere", territory="cn.gd.sz", skill="tv_service")
    assert len((await board(planner)).workers) == 3
    assert await planner.free() == 1
    assert (await planner.hold()).engineer_id == city
    assert len(await planner.told("replanned")) == 2
    assert await depot.problems() == []

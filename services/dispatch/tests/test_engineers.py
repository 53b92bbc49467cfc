"""Engineers: registration, shifts, qualifications and what they do to work (DSP-01, DSP-02)."""

from datetime import timedelta

import pytest
from dispatch.engineers import commands
from dispatch.engineers.queries import list_engineers
from dispatch.work_orders.work_order import State
from servicekit.creation import CreationKey
from servicekit.errors import Fault
from servicekit.identity import Principal

GD = Principal("gd", frozenset({"dispatcher"}), "cn.gd")


async def register(depot, *, key="k", fingerprint=b"1", user_id="li", territory="cn.gd.gz", principal=GD):
    async with depot.database.transaction("register") as tx:
        return await commands.register_engineer(
            tx,
            display_name="GZ-0107",
            user_id=user_id,
            territory=territory,
            qualifications=[],
            key=CreationKey(key, fingerprint),
            principal=principal,
            policy=depot.placement.policy,
        )


async def test_the_same_key_gives_the_same_engineer(depot):
    first, again = await register(depot), await register(depot)
    assert first.engineer == again.engineer
    assert len(await depot.events("engineer.registered")) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"fingerprint": b"2"}, "idempotency_key_reused"),
        ({"key": "other"}, "engineer_exists"),
        ({"key": "other", "user_id": "wang", "territory": "cn.sc"}, "domain_forbidden"),
        ({"key": "other", "user_id": "wang", "territory": "cn.gd.nowhere"}, "region_unknown"),
    ],
)
async def test_registrations_that_are_refused(depot, change, code):
    await register(depot)
    with pytest.raises(Fault) as refused:
        await register(depot, **change)
    assert refused.value.code == code


async def test_dsp_02_revoking_gives_what_is_not_begun_to_others_at_once(depot):
    losing = await depot.hire("li", territory="cn.gd.gz")
    assigned, accepted, travelling = [await depot.create() for _ in range(3)]
    await depot.do("accept_work_order", accepted)
    await depot.do("accept_work_order", travelling)
    await depot.do("start_travel", travelling)
    taking = await depot.hire("wang")
    await depot.revoke(losing)
    await depot.revoke(losing)
    orders = [await depot.order(work_order_id) for work_order_id in (assigned, accepted, travelling)]
    assert [order.engineer_id for order in orders] == [taking, taking, losing]
    assert [order.state for order in orders] == [State.ASSIGNED, State.ASSIGNED, State.TRAVELLING]
    assert (await depot.order(await depot.create())).engineer_id == taking
    assert len(await depot.events("qualification_changed")) == 3
    assert await depot.problems() == []


async def test_dsp_02_a_lower_level_gives_back_only_what_it_no_longer_covers(depot):
    engineer_id = await depot.hire("li", level="senior")
    simple, hard = await depot.create(level="junior"), await depot.create(level="senior")
    await depot.grant(engineer_id, "broadband_repair", "middle")
    assert (await depot.order(simple)).engineer_id == engineer_id
    assert (await depot.order(hard)).assignment_reasons == ["no_qualified_engineer"]
    assert await depot.problems() == []


async def test_dsp_02_granting_takes_up_what_waited(depot):
    engineer_id = await depot.hire("li", level="junior")
    work_order_id = await depot.create(level="senior")
    assert (await depot.order(work_order_id)).state == State.WAITING
    await depot.grant(engineer_id, "broadband_repair", "senior")
    assert (await depot.order(work_order_id)).engineer_id == engineer_id
    assert await depot.problems() == []


async def test_dsp_02_opening_a_shift_takes_up_and_ending_it_gives_back(depot):
    engineer_id = await depot.hire("li", on_shift=False)
    work_order_id = await depot.create()
    assert (await depot.order(work_order_id)).assignment_reasons == ["none_on_shift"]
    await depot.set_shift(engineer_id, on_shift=True)
    assert (await depot.order(work_order_id)).engineer_id == engineer_id
    await depot.set_shift(engineer_id, on_shift=False)
    order = await depot.order(work_order_id)
    assert (order.state, order.assignment_reasons) == (State.WAITING, ["none_on_shift"])
    assert await depot.problems() == []


async def test_a_shift_takes_up_no_more_than_the_capacity(depot):
    engineer_id = await depot.hire("li", on_shift=False)
    for _ in range(depot.capacity + 2):
        await depot.create()
    await depot.set_shift(engineer_id, on_shift=True)
    assert (await depot.engineer(engineer_id)).open_work_orders == depot.capacity


async def test_engineers_open_only_their_own_shift(depot):
    engineer_id = await depot.hire("li", on_shift=False)
    with pytest.raises(Fault) as refused:
        await depot.set_shift(engineer_id, on_shift=True, principal=Principal("wang", frozenset({"engineer"}), "cn"))
    assert refused.value.code == "not_yours"
    await depot.set_shift(engineer_id, on_shift=True, principal=Principal("li", frozenset({"engineer"}), "cn.gd"))
    assert (await depot.engineer(engineer_id)).on_shift


async def test_lists_show_the_callers_domain_in_pages(depot):
    ids = [
        await depot.hire(f"e{serial}", territory=f"cn.{place}")
        for serial, place in enumerate(("gd", "gd.gz", "sc", "gd"))
    ]
    async with depot.database.transaction("list") as tx:
        first = await list_engineers(tx, GD, territory="", skill="", after=None, limit=2)
        rest = await list_engineers(tx, GD, territory="", skill="", after=first[-1].engineer.engineer_id, limit=2)
        skilled = await list_engineers(tx, GD, territory="cn.gd.gz", skill="broadband_repair", after=None, limit=9)
        unskilled = await list_engineers(tx, GD, territory="", skill="voice_line", after=None, limit=9)
    assert [profile.engineer.engineer_id for profile in (*first, *rest)] == [ids[0], ids[1], ids[3]]
    assert [profile.engineer.engineer_id for profile in skilled] == [ids[1]]
    assert unskilled == []


async def test_a_qualification_ends_at_its_last_moment(depot):
    engineer_id = await depot.hire("li", days=1)
    held = (await depot.profile(engineer_id)).qualifications["broadband_repair"]
    ranks = depot.placement.policy.ranks
    end = depot.clock.now() + timedelta(days=1)
    assert held.covers("broadband_repair", "middle", ranks=ranks, now=end - timedelta(microseconds=1))
    assert not held.covers("broadband_repair", "middle", ranks=ranks, now=end)

"""Work orders from the command to the report, on a real database (DSP-02, DSP-03, DSP-04)."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from bihuan.dispatch.v1 import work_orders_pb2
from dispatch.work_orders.work_order import OPEN, State
from servicekit.errors import Fault
from servicekit.identity import Principal

REPORT = work_orders_pb2.Report(found="wet joint", done="spliced anew")


def engineer_token(user_id, domain="cn.gd"):
    return Principal(user_id, frozenset({"engineer"}), domain)


async def test_dsp_03_from_creation_to_report(depot):
    engineer_id = await depot.hire("li")
    work_order_id = await depot.create()
    assigned = await depot.order(work_order_id)
    assert (assigned.state, assigned.engineer_id) == (State.ASSIGNED, engineer_id)
    assert assigned.work_order_number.startswith("W2603-")
    li = engineer_token("li")
    await depot.do("accept_work_order", work_order_id, li, expected_version=assigned.version)
    await depot.do("start_travel", work_order_id, li)
    await depot.do("arrive_on_site", assigned.work_order_number, li)
    assert (await depot.engineer(engineer_id)).open_work_orders == 1
    done = await depot.do("complete_work_order", work_order_id, li, report=REPORT)
    assert done.state == State.DONE
    assert done.report == {"found": "wet joint", "done": "spliced anew"}
    assert (await depot.engineer(engineer_id)).open_work_orders == 0
    happened = [json.loads(body) for body in await depot.events("dispatch.work_order")]
    assert len(happened) == 6
    assert all(event["case_id"] == str(done.case_id) for event in happened)
    assert await depot.problems() == []


async def test_a_number_names_the_month_of_the_platforms_calendar(depot):
    """The last night of a month in UTC is already the next month's first morning in China."""
    depot.clock.advance(datetime(2026, 3, 31, 16, 30, tzinfo=UTC) - depot.clock.now())
    order = await depot.order(await depot.create())
    assert order.work_order_number.startswith("W2604-")


async def test_travel_need_not_be_reported(depot):
    await depot.hire("li")
    work_order_id = await depot.create()
    await depot.do("accept_work_order", work_order_id)
    assert (await depot.do("arrive_on_site", work_order_id)).state == State.ON_SITE


async def test_asked_three_times_there_is_one_work_order(depot):
    await depot.hire("li")
    wanted = depot.wanted()
    for _ in range(3):
        await depot.create(wanted)
    assert len(await depot.events("work_order.created")) == 1
    assert (await depot.order(wanted.work_order_id)).version == 2


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"skill": "juggling"}, "skill_unknown"),
        ({"level": "master"}, "level_unknown"),
        ({"region": "fr"}, "region_unknown"),
    ],
)
async def test_words_that_the_standards_do_not_have_are_refused(depot, facts, code):
    with pytest.raises(Fault) as refused:
        await depot.create(**facts)
    assert refused.value.code == code


async def test_dsp_02_nobody_suitable_then_it_waits_with_the_reason(depot):
    await depot.hire("junior", level="junior")
    await depot.hire("off", on_shift=False)
    await depot.hire("far", territory="cn.sc")
    order = await depot.order(await depot.create(level="middle"))
    assert (order.state, order.assignment_reasons) == (State.WAITING, ["none_in_territory"])
    (waiting,) = await depot.events("work_order.waiting")
    assert json.loads(waiting)["reasons"] == ["none_in_territory"]
    assert await depot.problems() == []


async def test_only_the_assigned_engineer_or_a_dispatcher_of_the_region_may_step(depot):
    await depot.hire("li")
    work_order_id = await depot.create()
    await depot.refused("not_yours", "accept_work_order", work_order_id, engineer_token("wang"))
    elsewhere = Principal("d2", frozenset({"dispatcher"}), "cn.sc")
    await depot.refused("domain_forbidden", "accept_work_order", work_order_id, elsewhere)
    await depot.do("accept_work_order", work_order_id, engineer_token("li"))


async def test_stale_version_and_unknown_number_are_refused(depot):
    await depot.hire("li")
    work_order_id = await depot.create()
    await depot.refused("stale_version", "accept_work_order", work_order_id, expected_version=1)
    await depot.refused("work_order_unknown", "accept_work_order", str(uuid4()))
    await depot.refused("case_number_invalid", "accept_work_order", "W2603-0000-0000")
    assert (await depot.order(work_order_id)).state == State.ASSIGNED


async def test_rejected_it_goes_to_the_next_and_never_back_while_others_can(depot):
    first, second = await depot.hire("li", territory="cn.gd.gz"), await depot.hire("wang")
    work_order_id = await depot.create()
    assert (await depot.order(work_order_id)).engineer_id == first
    after = await depot.do("reject_work_order", work_order_id, engineer_token("li"), reason="no van")
    assert (after.state, after.engineer_id, after.previous_engineer_id) == (State.ASSIGNED, second, first)
    after = await depot.do("reject_work_order", work_order_id, engineer_token("wang"), reason="ill")
    assert (after.state, after.assignment_reasons) == (State.WAITING, ["all_declined"])
    assert await depot.problems() == []


async def test_what_everybody_declined_is_offered_again_when_the_clock_warns(depot, fire):
    engineer_id = await depot.hire("li")
    work_order_id = await depot.create()
    await depot.do("reject_work_order", work_order_id, reason="no van")
    await fire(timedelta(hours=1))
    order = await depot.order(work_order_id)
    assert (order.state, order.engineer_id) == (State.ASSIGNED, engineer_id)


async def test_not_accepted_in_time_it_goes_to_the_next(depot, fire):
    first, second = await depot.hire("li", territory="cn.gd.gz"), await depot.hire("wang")
    work_order_id = await depot.create()
    await fire(timedelta(hours=1, seconds=1))
    order = await depot.order(work_order_id)
    assert (order.state, order.engineer_id, order.previous_engineer_id) == (State.ASSIGNED, second, first)
    assert order.reassigned_times == 1
    assert [(await depot.engineer(who)).open_work_orders for who in (first, second)] == [0, 1]
    assert len(await depot.events("clock.missed")) == 1
    assert await depot.problems() == []


async def test_not_accepted_by_the_only_one_it_waits_and_the_dispatcher_is_told(depot, fire):
    engineer_id = await depot.hire("li")
    work_order_id = await depot.create()
    await fire(timedelta(hours=1, seconds=1))
    order = await depot.order(work_order_id)
    assert (order.state, order.engineer_id, order.declined_by) == (State.WAITING, None, [engineer_id])
    assert len(await depot.events("work_order.waiting")) == 1
    assert await depot.problems() == []


async def test_accepted_in_time_it_stays(depot, fire):
    engineer_id = await depot.hire("li")
    work_order_id = await depot.create()
    await depot.do("accept_work_order", work_order_id)
    await fire(timedelta(hours=30))
    order = await depot.order(work_order_id)
    assert (order.state, order.engineer_id) == (State.ACCEPTED, engineer_id)
    missed = [json.loads(body)["clock"] for body in await depot.events("clock.missed")]
    assert missed == ["work_order_handling"]
    assert await depot.problems() == []


async def test_dsp_02_expired_meanwhile_it_goes_to_somebody_qualified(depot):
    expiring = await depot.hire("li", territory="cn.gd.gz", days=1)
    other = await depot.hire("wang")
    work_order_id = await depot.create()
    assert (await depot.order(work_order_id)).engineer_id == expiring
    depot.clock.advance(timedelta(days=1))
    refusal = await depot.do("accept_work_order", work_order_id, engineer_token("li"))
    assert isinstance(refusal, Fault)
    assert refusal.code == "engineer_not_qualified"
    order = await depot.order(work_order_id)
    assert (order.state, order.engineer_id) == (State.ASSIGNED, other)
    assert (await depot.order(await depot.create())).engineer_id == other
    assert await depot.problems() == []


async def test_dsp_02_an_expired_qualification_gets_no_work(depot):
    await depot.hire("li", days=1)
    depot.clock.advance(timedelta(days=1))
    order = await depot.order(await depot.create())
    assert (order.state, order.assignment_reasons) == (State.WAITING, ["no_qualified_engineer"])


async def test_dsp_04_dispatcher_overrides_with_a_reason(depot):
    first, second = await depot.hire("li", territory="cn.gd.gz"), await depot.hire("wang")
    work_order_id = await depot.create()
    after = await depot.do("assign_work_order", work_order_id, engineer_id=second, reason="knows the house")
    assert (after.engineer_id, after.previous_engineer_id) == (second, first)
    assert after.assignment_reasons == ["dispatcher_override"]
    assigned = json.loads((await depot.events("work_order.assigned"))[-1])
    assert (assigned["assigned_by"], assigned["engineer_user_id"]) == ("dispatcher", "wang")
    assert [(await depot.engineer(who)).open_work_orders for who in (first, second)] == [0, 1]
    assert await depot.problems() == []


async def test_dsp_04_an_override_must_still_be_qualified_on_shift_and_in_territory(depot):
    await depot.hire("li")
    work_order_id = await depot.create(level="middle")
    for code, facts in {
        "engineer_not_qualified": {"level": "junior"},
        "engineer_off_shift": {"on_shift": False},
        "engineer_outside_territory": {"territory": "cn.sc"},
    }.items():
        engineer_id = await depot.hire(code, **facts)
        await depot.refused(code, "assign_work_order", work_order_id, engineer_id=engineer_id, reason="because")
    await depot.refused("engineer_unknown", "assign_work_order", work_order_id, engineer_id=uuid4(), reason="because")


async def test_an_override_may_go_beyond_the_usual_capacity(depot):
    engineer_id = await depot.hire("li")
    for _ in range(depot.capacity):
        await depot.create()
    work_order_id = await depot.create()
    assert (await depot.order(work_order_id)).assignment_reasons == ["all_at_capacity"]
    await depot.do("assign_work_order", work_order_id, engineer_id=engineer_id, reason="emergency")
    assert (await depot.engineer(engineer_id)).open_work_orders == depot.capacity + 1


async def test_cancelled_stays_cancelled_and_frees_the_engineer(depot):
    engineer_id = await depot.hire("li")
    work_order_id = await depot.create()
    await depot.cancel(work_order_id)
    await depot.cancel(work_order_id)
    assert (await depot.order(work_order_id)).state == State.CANCELLED
    assert (await depot.engineer(engineer_id)).open_work_orders == 0
    assert len(await depot.events("work_order.cancelled")) == 1
    await depot.refused("transition_forbidden", "accept_work_order", work_order_id)
    await depot.set_shift(engineer_id, on_shift=False)
    await depot.set_shift(engineer_id, on_shift=True)
    assert (await depot.order(work_order_id)).state == State.CANCELLED
    assert await depot.problems() == []


async def test_who_becomes_free_takes_the_most_urgent_then_the_oldest(depot):
    engineer_id = await depot.hire("li")
    busy = [await depot.create() for _ in range(depot.capacity)]
    older = await depot.create(priority=3)
    depot.clock.advance(timedelta(minutes=1))
    newer = await depot.create(priority=3)
    urgent = await depot.create(priority=1)
    taken = []
    for work_order_id in busy[:3]:
        await depot.do("accept_work_order", work_order_id)
        await depot.do("fail_work_order", work_order_id, failure="nobody at home")
        now_assigned = {one for one in (older, newer, urgent) if (await depot.order(one)).state == State.ASSIGNED}
        taken.append(next(iter(now_assigned - set(taken))))
    assert taken == [urgent, older, newer]
    assert (await depot.engineer(engineer_id)).open_work_orders == depot.capacity
    assert await depot.problems() == []


async def test_dsp_02_twenty_at_once_never_overload_three(depot):
    crew = [
        await depot.hire(name, territory=territory) for name, territory in (("a", "cn.gd"), ("b", "cn.gd"), ("c", "cn"))
    ]
    ids = await asyncio.gather(*(depot.create() for _ in range(20)))
    orders = [await depot.order(work_order_id) for work_order_id in ids]
    loads = [(await depot.engineer(engineer_id)).open_work_orders for engineer_id in crew]
    assert loads == [depot.capacity] * 3
    assert sum(order.state == State.ASSIGNED for order in orders) == 3 * depot.capacity
    assert await depot.problems() == []


async def test_finished_and_created_side_by_side_nothing_waits_while_somebody_is_free(depot):
    await depot.hire("a")
    await depot.hire("b")
    begun = [await depot.create() for _ in range(2 * depot.capacity)]
    for work_order_id in begun:
        await depot.do("accept_work_order", work_order_id)
    finish = [depot.do("fail_work_order", work_order_id, failure="no access") for work_order_id in begun]
    create = [depot.create() for _ in begun]
    outcomes = await asyncio.gather(*finish, *create)
    states = [(await depot.order(work_order_id)).state for work_order_id in outcomes[len(begun) :]]
    assert states == [State.ASSIGNED] * len(begun)
    assert not {(await depot.order(work_order_id)).state for work_order_id in begun} & OPEN
    assert await depot.problems() == []

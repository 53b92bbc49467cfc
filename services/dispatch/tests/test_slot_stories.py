"""Slots on a real database: held, booked, moved, kept when engineers drop out, and never sold twice (DSP-05)."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from asyncpg import ExclusionViolationError
from bihuan.common.v1.common_pb2 import TimePeriod
from bihuan.dispatch.v1 import work_orders_pb2
from dispatch.engineers import rostering
from dispatch.slots.holding import release_hold
from dispatch.slots.reservation import State
from dispatch.slots.tables import RESERVATIONS
from dispatch.work_orders.work_order import State as OrderState
from google.protobuf.json_format import ParseDict
from servicekit.creation import CreationKey
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.windows import Window
from sqlalchemy import insert

DAY = timedelta(days=1)
DISPATCHER = Principal("dispatcher", frozenset({"dispatcher"}), "cn")
REPORT = work_orders_pb2.Report(found="wet joint", done="spliced anew")


async def refusal(awaitable) -> Fault:
    with pytest.raises(Fault) as refused:
        await awaitable
    return refused.value


async def test_dsp_05_the_last_slot_is_sold_once_however_many_ask_at_once(planner, depot):
    await planner.hire("li")
    answers = await asyncio.gather(*(planner.hold() for _ in range(50)), return_exceptions=True)
    sold = [answer for answer in answers if not isinstance(answer, Exception)]
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(sold) == 1
    assert {fault.code for fault in refused} == {"slot_taken"}
    # Those nearest to what was asked for.
    assert refused[0].params["alternatives"].count("–") == 3
    assert str(sold[0].window) not in refused[0].params["alternatives"]
    assert await planner.free() == 0
    assert await depot.problems() == []


async def test_dsp_05_the_database_itself_refuses_a_second_visit_in_the_slot(planner):
    await planner.hire("li")
    held = await planner.hold()
    again = held.model_copy(update={"reservation_id": uuid4()})
    with pytest.raises(ExclusionViolationError, match="one_visit_per_engineer_and_slot"):
        async with planner.database.transaction("second") as tx:
            await tx.execute(insert(RESERVATIONS), again.model_dump())
    assert (await planner.reservation(held)).state == State.HELD


async def test_dsp_05_capacity_is_what_is_qualified_at_work_and_free(planner, depot):
    assert await planner.free() == 0
    await planner.hire("li")
    busy = await planner.hire("wang")
    await planner.hire("far", territory="cn.sc")
    await planner.hire("other", skill="tv_service")
    await planner.hire("expires", days=1)
    await depot.hire("nobody knows when")
    assert await planner.free() == 2
    await planner.hold()
    assert await planner.free() == 1
    await depot.revoke(busy)
    assert await planner.free() == 0


async def test_dsp_05_others_change_hands_to_make_room(planner, depot):
    """The versatile engineer is given up by whoever could also be served by somebody else."""
    await planner.hire("both")
    versatile = await planner.hire("versatile")
    await depot.grant(versatile, "tv_service", "middle")
    await planner.hold()
    await planner.hold()
    assert await planner.free("tv_service") == 0
    third = await planner.hire("third")
    assert await planner.free("tv_service") == 1
    television = await planner.hold(skill="tv_service")
    assert television.engineer_id == versatile != third
    assert len(await planner.told("replanned")) == 1
    assert await planner.free() == 0
    assert await depot.problems() == []


async def test_dsp_05_a_hold_ends_by_itself_and_the_slot_is_free_again(planner, depot, fire):
    await planner.hire("li")
    held = await planner.hold()
    await fire(timedelta(minutes=9))
    assert (await refusal(planner.hold())).code == "slot_taken"
    await fire(timedelta(minutes=1))
    assert (await planner.reservation(held)).state == State.EXPIRED
    await planner.hold()
    assert await depot.problems() == []


async def test_dsp_05_a_case_and_a_customer_hold_one_slot_at_most(planner):
    await planner.hire("li")
    case_id = uuid4()
    first = await planner.hold(case_id=case_id)
    second = await planner.hold(case_id=case_id, start=planner.next_start)
    assert (await planner.reservation(first)).state == State.RELEASED
    customer = Principal("c1", frozenset({"customer"}), customer_id="c1")
    mine = await planner.hold(principal=customer)
    await planner.hold(principal=customer, start=planner.next_start + timedelta(hours=2))
    assert (await planner.reservation(mine)).state == State.RELEASED
    assert (await planner.reservation(second)).state == State.HELD


async def test_dsp_05_a_customer_who_knows_a_case_does_not_release_what_others_hold_for_it(planner):
    await planner.hire("li")
    held = await planner.hold()
    stranger = Principal("c2", frozenset({"customer"}), customer_id="c2")
    await planner.hold(case_id=held.case_id, start=planner.next_start, principal=stranger)
    assert (await planner.reservation(held)).state == State.HELD


async def test_the_same_key_holds_once(planner):
    await planner.hire("li")
    wish = planner.wish(key="again")
    assert (await planner.hold(wish)).reservation_id == (await planner.hold(wish)).reservation_id


async def test_a_customer_gives_back_only_what_is_theirs(planner):
    await planner.hire("li")
    held = await planner.hold()
    stranger = Principal("c2", frozenset({"customer"}), customer_id="c2")

    async def release(principal):
        async with planner.database.transaction("release") as tx:
            return await release_hold(tx, held.reservation_id, principal)

    assert (await refusal(release(stranger))).code == "not_yours"
    assert (await release(Principal("a", frozenset({"agent"}), "cn.gd"))).state == State.RELEASED
    assert await planner.free() == 1


async def test_dsp_05_booked_called_up_and_visited(planner, depot, fire):
    li = await planner.hire("li")
    wanted = await planner.book(await planner.hold())
    order = await depot.order(wanted.work_order_id)
    assert (order.state, order.engineer_id, order.window_start) == (OrderState.PLANNED, None, planner.start)
    assert await depot.problems() == []
    await fire(planner.start - timedelta(hours=4) - depot.clock.now())
    order = await depot.order(wanted.work_order_id)
    # Off shift at this hour; what counts is the planned shift.
    assert (order.state, order.engineer_id) == (OrderState.ASSIGNED, li)
    assert order.assignment_reasons == ["appointment"]
    for step in ("accept_work_order", "start_travel", "arrive_on_site"):
        await depot.do(step, wanted.work_order_id)
    assert await depot.problems() == []
    await depot.do("complete_work_order", wanted.work_order_id, report=REPORT)
    assert [event["appointment_id"] for event in await planner.told("fulfilled")] == [wanted.appointment_id]
    assert await depot.problems() == []


async def test_dsp_05_moving_frees_the_slot_and_carries_the_work_order_along(planner, depot):
    await planner.hire("li")
    first = await planner.hold()
    wanted = await planner.book(first)
    second = await planner.hold(case_id=first.case_id, start=planner.next_start)
    facts = {"appointment_id": wanted.appointment_id, "work_order_id": wanted.work_order_id}
    await planner.book(second, replaces=str(first.reservation_id), **facts)
    order = await depot.order(wanted.work_order_id)
    assert (order.state, order.window_start) == (OrderState.PLANNED, planner.next_start)
    assert await planner.free() == 1
    assert (await planner.told("released"))[-1]["reason"] == "moved"
    assert await depot.problems() == []


async def test_dsp_05_a_work_order_rests_on_one_slot_whatever_is_booked_for_it(planner, depot):
    """The first appointment was cancelled at intake before dispatch had booked it, and another one made."""
    await planner.hire("li")
    await planner.hire("wang")
    first = await planner.hold()
    wanted = await planner.book(first)
    second = await planner.hold(case_id=first.case_id, start=planner.next_start)
    await planner.book(second, work_order_id=wanted.work_order_id)
    assert (await planner.reservation(first)).state == State.RELEASED
    assert (await planner.reservation(second)).state == State.BOOKED
    assert (await depot.order(wanted.work_order_id)).window_start == planner.next_start
    assert await depot.problems() == []


async def test_a_booking_that_comes_late_gets_the_slot_while_there_is_room(planner, depot, fire):
    await planner.hire("li")
    late = await planner.hold()
    await fire(timedelta(minutes=11))
    wanted = await planner.book(late)
    (booked,) = await planner.told("booked")
    assert booked["appointment_id"] == wanted.appointment_id
    assert booked["reservation_id"] != str(late.reservation_id)
    await planner.hire("wang")
    too_late = await planner.hold()
    await fire(timedelta(minutes=11))
    await planner.hold()
    await planner.book(too_late)
    (refused,) = await planner.told("refused")
    assert refused["reason"] == "slot_taken"
    assert len(refused["alternatives"]) == 3
    assert await depot.problems() == []


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"case_id": str(uuid4())}, "other_case"),
        ({"skill": "tv_service"}, "other_work"),
        ({"level": "senior"}, "other_work"),
        ({"reservation_id": str(uuid4())}, "reservation_unknown"),
    ],
)
async def test_what_does_not_fit_the_hold_is_refused(planner, facts, reason):
    await planner.hire("li")
    await planner.book(await planner.hold(), **facts)
    assert [event["reason"] for event in await planner.told("refused")] == [reason]
    assert await planner.told("booked") == []


async def test_dsp_05_a_work_order_that_somebody_has_gets_its_appointed_time(planner, depot):
    await planner.hire("li")
    now = await depot.hire("now")
    work_order_id = await depot.create()
    assert (await depot.order(work_order_id)).engineer_id == now
    order = await depot.order(work_order_id)
    await planner.book(await planner.hold(case_id=order.case_id), work_order_id=work_order_id)
    order = await depot.order(work_order_id)
    assert (order.state, order.engineer_id) == (OrderState.PLANNED, None)
    assert (await depot.engineer(now)).open_work_orders == 0
    assert await depot.problems() == []


async def test_dsp_05_a_slot_of_somebody_less_able_than_the_work_order_needs_is_refused(planner, depot):
    await planner.hire("li", level="junior")
    work_order_id = await depot.create(level="senior")
    order = await depot.order(work_order_id)
    await planner.book(await planner.hold(case_id=order.case_id), work_order_id=work_order_id)
    assert [event["reason"] for event in await planner.told("refused")] == ["other_work"]
    assert (await depot.order(work_order_id)).state == OrderState.WAITING
    assert await depot.problems() == []


async def drop_by_shift(planner, engineer_id):
    await planner.cancel_shift(engineer_id)


async def drop_by_qualification(planner, engineer_id):
    await planner.depot.revoke(engineer_id)


@pytest.mark.parametrize("drop", [drop_by_shift, drop_by_qualification])
@pytest.mark.parametrize("called_up", [False, True])
async def test_dsp_05_an_engineer_drops_out_and_another_keeps_the_time(planner, depot, fire, drop, called_up):
    li = await planner.hire("li")
    wanted = await planner.book(await planner.hold())
    wang = await planner.hire("wang")
    if called_up:
        await fire(planner.start - timedelta(hours=3) - depot.clock.now())
        assert (await depot.order(wanted.work_order_id)).engineer_id == li
    await drop(planner, li)
    (replanned,) = await planner.told("replanned")
    assert replanned["appointment_id"] == wanted.appointment_id
    if not called_up:
        await fire(planner.start - timedelta(hours=3) - depot.clock.now())
    assert (await depot.order(wanted.work_order_id)).engineer_id == wang
    assert await depot.problems() == []


async def test_dsp_05_two_engineers_change_places_when_only_that_keeps_both_times(planner, depot):
    li, wang = await planner.hire("li"), await planner.hire("wang")
    repair = await planner.hold()
    await depot.grant(li, "tv_service", "middle")
    await depot.grant(wang, "tv_service", "middle")
    television = await planner.hold(skill="tv_service")
    await planner.book(repair)
    await planner.book(television)
    await depot.revoke(repair.engineer_id)
    assert {repair.engineer_id, television.engineer_id} == {li, wang}
    assert (await planner.reservation(repair)).engineer_id == television.engineer_id
    assert (await planner.reservation(television)).engineer_id == repair.engineer_id
    assert await planner.told("failed") == []
    assert await depot.problems() == []


@pytest.mark.parametrize("drop", [drop_by_shift, drop_by_qualification])
async def test_dsp_05_nobody_is_left_then_other_times_are_offered(planner, depot, drop):
    li = await planner.hire("li")
    held = await planner.hold()
    wanted = await planner.book(held)
    late = await depot.hire("late", on_shift=False)
    shift_of_late = planner.next_start + timedelta(days=1)
    async with planner.database.transaction("plan") as tx:
        window = Window(shift_of_late, shift_of_late + timedelta(hours=2))
        await rostering.plan_shift(tx, late, window, key=CreationKey("", b""), principal=DISPATCHER)
    await drop(planner, li)
    (failed,) = await planner.told("failed")
    assert failed["appointment_id"] == wanted.appointment_id
    assert [Window.of(ParseDict(each, TimePeriod())).start for each in failed["alternatives"]] == [shift_of_late]
    order = await depot.order(wanted.work_order_id)
    assert (order.state, order.failure) == (OrderState.CANCELLED, "appointment_failed")
    assert (await planner.reservation(held)).state == State.FAILED
    assert await depot.problems() == []


async def test_going_home_early_ends_what_is_left_of_the_shift(planner, depot, fire):
    li = await planner.hire("li")
    await planner.book(await planner.hold())
    await fire(planner.start - timedelta(hours=1) - depot.clock.now())
    await depot.set_shift(li, on_shift=True)
    await depot.set_shift(li, on_shift=False)
    assert len(await planner.told("failed")) == 1
    assert await depot.problems() == []


async def test_an_engineer_who_declines_hands_it_on_at_once(planner, depot, fire):
    await planner.hire("li")
    wanted = await planner.book(await planner.hold())
    wang = await planner.hire("wang")
    await fire(planner.start - timedelta(hours=3) - depot.clock.now())
    await depot.do("reject_work_order", wanted.work_order_id, reason="ill")
    assert (await depot.order(wanted.work_order_id)).engineer_id == wang
    assert await depot.problems() == []


async def test_dsp_04_a_dispatcher_chooses_who_keeps_the_time(planner, depot):
    await planner.hire("li")
    wanted = await planner.book(await planner.hold())
    wang = await planner.hire("wang")
    await depot.do("assign_work_order", wanted.work_order_id, engineer_id=wang, reason="knows the house")
    order = await depot.order(wanted.work_order_id)
    assert (order.state, order.engineer_id) == (OrderState.ASSIGNED, wang)
    off = await depot.hire("off")
    await depot.refused("engineer_off_shift", "assign_work_order", wanted.work_order_id, engineer_id=off, reason="x")
    await planner.book(await planner.hold())
    booked = (await planner.told("booked"))[-1]["work_order_id"]
    await depot.refused("engineer_booked", "assign_work_order", booked, engineer_id=wang, reason="x")
    assert await depot.problems() == []


async def test_a_withdrawn_case_gives_its_slot_back(planner, depot):
    await planner.hire("li")
    wanted = await planner.book(await planner.hold())
    await depot.cancel(wanted.work_order_id)
    assert [event["reason"] for event in await planner.told("released")] == ["case_withdrawn"]
    assert await planner.free() == 1
    assert await depot.problems() == []


@pytest.mark.parametrize("moved", [timedelta(), timedelta(hours=3)])
async def test_shifts_neither_overlap_nor_lie_in_the_past(planner, moved):
    li = await planner.hire("li")
    assert (await refusal(planner.plan_shift(li))).code == "shift_overlaps"
    planner.start -= 3 * DAY + moved
    assert (await refusal(planner.plan_shift(li))).code == "shift_invalid"

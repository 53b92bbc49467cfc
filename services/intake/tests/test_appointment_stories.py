"""Appointments on a real database: what dispatch answers, and what customers and the desk do with them (INT-09)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import cases_pb2, events_pb2
from diary import ENGINEER, Diary
from intake.appointments import queries
from intake.appointments.appointment import State
from intake.cases import closing, incidents
from intake.cases import store as cases
from intake.cases.case import Stage
from servicekit.clock import ManualClock
from servicekit.errors import Fault
from servicekit.identity import Principal


@pytest.fixture
async def diary(office, a_request, app: Principal, agent: Principal, manual_clock: ManualClock) -> Diary:
    case = (await office.open(a_request(), app)).case
    return Diary(office, case, agent, manual_clock)


async def test_int09_a_booking_is_confirmed_and_promised(diary: Diary, office) -> None:
    requested = await diary.book(skill="broadband_repair", level="junior")
    assert requested.state == State.INITIALIZED
    (command,) = await office.sent(dispatch_events.BookReservation)
    assert (command.skill, command.level, command.region) == ("broadband_repair", "junior", "cn.gd.gz.tianhe")
    await diary.tell(dispatch_events.ReservationBooked)
    case, appointment = await diary.case(), await diary.newest()
    assert (appointment.state, case.stage, case.appointed_from) == (State.CONFIRMED, Stage.ASSESSED, diary.start)
    assert case.work_order_id == appointment.work_order_id
    assert case.classification_confirmed
    assert "appointment at 2026" in await diary.promise()
    assert await office.sent(dispatch_events.CreateWorkOrder) == []
    (told,) = await diary.contacts()
    assert "工程师将在2026" in told
    assert await diary.problems() == []


async def test_int09_prepared_within_a_day_reminded_an_hour_before_and_kept(diary: Diary, office) -> None:
    await diary.booked()
    await diary.ask("prepare", note="modem packed")
    with pytest.raises(Fault, match="transition_forbidden"):
        await diary.ask("prepare", note="again")
    await office.tell_assigned(await diary.case(), ENGINEER, version=3)
    await diary.fire(timedelta(days=2) - timedelta(hours=1))
    assert len(await office.sent(events_pb2.AppointmentReminded)) == 1
    assert "温馨提醒" in (await diary.contacts())[-1]
    ids = {"case_id": diary.case_id, "work_order_id": str((await diary.newest()).work_order_id)}
    await office.tell(dispatch_events.WorkOrderArrived(**ids, engineer_id=ENGINEER))
    await diary.tell(dispatch_events.ReservationFulfilled)
    assert (await diary.newest()).state == State.COMPLETED
    assert await office.sent(events_pb2.CaseEscalated) == []


@pytest.mark.parametrize(
    ("after", "clock"), [(timedelta(hours=24), "appointment_preparation"), (timedelta(days=2), "appointment_arrival")]
)
async def test_int09_not_ready_or_not_there_in_time_tells_the_supervisor(diary: Diary, office, after, clock) -> None:
    await diary.booked()
    if clock == "appointment_arrival":
        await diary.ask("prepare", note="modem packed")
        await diary.fire(timedelta(days=2) - timedelta(hours=1))
        after = timedelta(hours=1)
    await diary.fire(after)
    escalated = {event.clock for event in await office.sent(events_pb2.CaseEscalated)}
    assert clock in escalated


async def test_int09_moved_by_the_customer_and_the_promise_with_it(diary: Diary, office) -> None:
    first = await diary.booked()
    other, later = uuid4(), diary.start + timedelta(days=1)
    await diary.ask("move", reservation_id=str(other), reason="not at home")
    (booking,) = (await office.sent(dispatch_events.BookReservation))[1:]
    assert (booking.reservation_id, booking.replaces) == (str(other), str(first.reservation_id))
    # That the first slot is free again is no news of this appointment.
    await diary.tell(dispatch_events.ReservationReleased, reservation=first.reservation_id, reason="moved")
    await diary.tell(dispatch_events.ReservationBooked, reservation=other, start=later)
    moved = await diary.newest()
    assert (moved.state, moved.starts_at, moved.reservation_id) == (State.CONFIRMED, later, other)
    assert (await diary.case()).appointed_from == later
    assert "您的预约已改为2026" in (await diary.contacts())[-1]
    assert await diary.problems() == []


async def test_a_move_that_cannot_be_had_leaves_everything_as_it_was(diary: Diary) -> None:
    await diary.booked()
    await diary.ask("move", reservation_id=str(uuid4()), reason="not at home")
    others = [diary.period(diary.start + timedelta(days=3))]
    await diary.tell(dispatch_events.ReservationRefused, reason="slot_taken", alternatives=others)
    appointment = await diary.newest()
    assert (appointment.state, appointment.starts_at, appointment.reason) == (
        State.CONFIRMED,
        diary.start,
        "slot_taken",
    )
    assert "appointment at" in await diary.promise()
    assert "改约未成功" in (await diary.contacts())[-1]
    assert await diary.problems() == []


async def test_int09_refused_or_lost_the_customer_hears_of_other_times(diary: Diary, office) -> None:
    others = [diary.period(diary.start + timedelta(days=3))]
    await diary.book()
    await diary.tell(dispatch_events.ReservationRefused, reason="slot_taken", alternatives=others)
    assert (await diary.newest()).state == State.FAILED
    assert (await diary.case()).stage == Stage.ACCEPTED
    assert "You can have instead: 2026" in await diary.promise()
    lost = await diary.booked()
    await diary.tell(dispatch_events.ReservationFailed, because="shift_ended", alternatives=others)
    ids = {"case_id": diary.case_id, "work_order_id": str(lost.work_order_id)}
    await office.tell(dispatch_events.WorkOrderCancelled(**ids, reason="appointment_failed"), version=3)
    case = await diary.case()
    assert (case.stage, case.appointed_from, case.reopened_times) == (Stage.ACCEPTED, None, 1)
    assert "You can have instead: 2026" in await diary.promise()
    assert len(await office.sent(events_pb2.AppointmentRequested)) == 2
    assert len(await office.sent(events_pb2.AppointmentConfirmed)) == 1
    assert len(await office.sent(events_pb2.AppointmentRefused)) == 1
    assert sum("可改约：2026" in told for told in await diary.contacts()) == 2
    assert await diary.problems() == []


async def test_int09_where_there_is_no_other_time_the_customer_hears_that_another_is_arranged(diary: Diary) -> None:
    await diary.book()
    await diary.tell(dispatch_events.ReservationRefused, reason="slot_taken")
    (told,) = await diary.contacts()
    assert "另行与您约定时间" in told


async def test_int09_after_a_visit_in_vain_the_customer_hears_that_it_goes_on(diary: Diary, office) -> None:
    visit = await diary.booked()
    ids = {"case_id": diary.case_id, "work_order_id": str(visit.work_order_id)}
    await office.tell(dispatch_events.WorkOrderFailed(**ids, engineer_id=ENGINEER, failure="nobody_home"), version=3)
    await diary.tell(dispatch_events.ReservationFailed, because="visit_failed")
    assert (await diary.newest()).state == State.FAILED
    assert "looked into it again" in await diary.promise()
    assert "未能在本次上门时解决" in (await diary.contacts())[-1]
    assert await diary.problems() == []


async def test_int09_cancelled_by_the_customer_the_case_is_assessed_again(diary: Diary, office) -> None:
    await diary.booked()
    before = await diary.case()
    await diary.ask("cancel", reason="solved itself")
    case = await diary.case()
    assert (case.stage, case.priority, case.reopened_times) == (Stage.ACCEPTED, before.priority, 0)
    (called_off,) = await office.sent(dispatch_events.CancelWorkOrder)
    assert called_off.work_order_id == str(before.work_order_id)
    await diary.tell(dispatch_events.ReservationReleased, reason="appointment_cancelled")
    assert (await diary.newest()).state == State.CANCELLED
    assert await diary.problems() == []


async def test_cancelled_before_dispatch_answers_it_is_called_off_once_it_does(diary: Diary, office) -> None:
    await diary.book()
    await diary.ask("cancel", reason="solved itself")
    assert await office.sent(dispatch_events.CancelWorkOrder) == []
    await diary.tell(dispatch_events.ReservationBooked)
    assert len(await office.sent(dispatch_events.CancelWorkOrder)) == 1
    assert (await diary.case()).stage == Stage.ACCEPTED
    assert await diary.problems() == []


async def test_int09_what_was_booked_too_late_does_not_kill_the_next_appointment(
    diary: Diary, office, agent: Principal
) -> None:
    case = await office.assess(await diary.case(), agent, needs_visit=True)
    await diary.book()
    given_up = await diary.newest()
    await diary.ask("cancel", reason="another day")
    await diary.book()
    await diary.tell(
        dispatch_events.ReservationBooked,
        reservation=given_up.reservation_id,
        appointment=given_up.appointment_id,
        start=diary.start - timedelta(days=1),
    )
    await diary.tell(dispatch_events.ReservationBooked)
    assert await office.sent(dispatch_events.CancelWorkOrder) == []
    appointment, case = await diary.newest(), await diary.case()
    assert (appointment.state, appointment.work_order_id) == (State.CONFIRMED, case.work_order_id)
    assert case.appointed_from == diary.start
    assert await diary.problems() == []


async def test_int09_called_off_too_late_the_case_is_assessed_again_no_more_important(
    diary: Diary, office, agent: Principal
) -> None:
    before = await office.assess(await diary.case(), agent, needs_visit=True)
    await diary.book()
    await diary.ask("cancel", reason="solved itself")
    await diary.tell(dispatch_events.ReservationBooked)
    assert len(await office.sent(dispatch_events.CancelWorkOrder)) == 1
    ids = office.ids(before)
    await office.tell(dispatch_events.WorkOrderCancelled(**ids, reason="appointment_cancelled"), version=3)
    case = await diary.case()
    assert (case.stage, case.priority, case.reopened_times) == (Stage.ACCEPTED, before.priority, 0)
    assert await diary.problems() == []


async def attach(diary: Diary, office) -> UUID:
    """The case waits for an incident while its engineer is on the way; gives the incident."""
    case, incident_id = await diary.case(), uuid4()
    async with office.database.transaction("attach") as tx:
        locked = await cases.lock(tx, diary.case_id)
        await cases.save(tx, locked, incidents.attached(locked, tx.now, incident_id=incident_id), actor="system")
    assert case.handler
    return incident_id


async def test_int09_cancelled_while_the_case_waits_for_an_incident_it_goes_on_waiting(diary: Diary, office) -> None:
    await diary.booked()
    await office.tell_assigned(await diary.case(), ENGINEER, version=3)
    incident_id = await attach(diary, office)
    await diary.ask("cancel", reason="a neighbour has it too")
    case = await diary.case()
    assert (case.stage, case.incident_id, case.appointed_from) == (Stage.HANDLING, incident_id, None)
    # Both times an engineer who is there already finishes.
    assert [each.unless_on_site for each in await office.sent(dispatch_events.CancelWorkOrder)] == [True, True]
    assert (await diary.newest()).state == State.CANCELLED
    assert await diary.problems() == []


@pytest.mark.parametrize("reminded", [False, True])
@pytest.mark.parametrize("instead", ["called_off", "incident"])
async def test_int09_a_visit_that_nobody_waits_for_is_neither_reminded_of_nor_missed(
    diary: Diary, office, instead, reminded
) -> None:
    await diary.booked()
    await diary.ask("prepare", note="modem packed")
    await office.tell_assigned(await diary.case(), ENGINEER, version=3)
    if reminded:
        await diary.fire(timedelta(days=2) - timedelta(hours=1))
    if instead == "incident":
        await attach(diary, office)
    else:
        # That the slot is free again is not told yet.
        ids = office.ids(await diary.case())
        await office.tell(dispatch_events.WorkOrderCancelled(**ids, reason="case_withdrawn"), version=4)
    await diary.fire(timedelta(days=2))
    assert len(await office.sent(events_pb2.AppointmentReminded)) == reminded
    assert "appointment_arrival" not in {event.clock for event in await office.sent(events_pb2.CaseEscalated)}


async def test_int09_nobody_is_offered_another_time_for_a_case_that_was_withdrawn_meanwhile(
    diary: Diary, office, agent: Principal
) -> None:
    await diary.book()
    withdrawal = cases_pb2.WithdrawCaseRequest(case=diary.case_id, reason="solved itself")
    await office.change(closing.withdraw_case, agent, withdrawal)
    others = [diary.period(diary.start + timedelta(days=3))]
    await diary.tell(dispatch_events.ReservationRefused, reason="slot_taken", alternatives=others)
    assert await diary.contacts() == []
    assert await diary.problems() == []


@pytest.mark.parametrize("because", ["visit_failed", "shift_ended"])
async def test_int09_nobody_is_promised_another_time_while_the_incident_takes_care_of_it(
    diary: Diary, office, because
) -> None:
    await diary.booked()
    await office.tell_assigned(await diary.case(), ENGINEER, version=3)
    await attach(diary, office)
    before = await diary.contacts()
    await diary.tell(dispatch_events.ReservationFailed, because=because)
    assert (await diary.newest()).state == State.FAILED
    assert await diary.contacts() == before


async def test_int09_nobody_is_reminded_of_what_is_past(diary: Diary, office) -> None:
    """The service was away around the time."""
    await diary.booked()
    await office.tell_assigned(await diary.case(), ENGINEER, version=3)
    await diary.fire(timedelta(days=2, hours=1))
    assert len(await diary.contacts()) == 1
    assert len(await office.sent(events_pb2.AppointmentReminded)) == 1


async def test_a_withdrawn_case_takes_its_appointment_along(diary: Diary, office, agent: Principal) -> None:
    await diary.booked()
    withdrawal = cases_pb2.WithdrawCaseRequest(case=diary.case_id, reason="solved itself")
    await office.change(closing.withdraw_case, agent, withdrawal)
    await diary.tell(dispatch_events.ReservationReleased, reason="case_withdrawn")
    assert (await diary.newest()).state == State.CANCELLED
    assert await diary.problems() == []


async def test_an_order_that_somebody_has_gets_the_appointed_time(diary: Diary, office, agent: Principal) -> None:
    case = await office.assess(await diary.case(), agent, needs_visit=True)
    await office.tell_assigned(case, ENGINEER)
    await diary.booked()
    case = await diary.case()
    assert (case.stage, case.handler) == (Stage.ASSESSED, "")
    # What dispatch said before is out of date.
    await office.tell(dispatch_events.WorkOrderAccepted(**office.ids(case), engineer_id=ENGINEER), version=1)
    assert (await diary.case()).stage == Stage.ASSESSED
    assert await diary.problems() == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"customer_checked": False}, "appointment_unchecked"),
        ({"content_checked": False}, "appointment_unchecked"),
        ({"channel": "pigeon"}, "channel_unknown"),
        ({"skill": "juggling"}, "skill_unknown"),
    ],
)
async def test_what_was_not_checked_or_is_not_known_is_refused(diary: Diary, facts, code) -> None:
    with pytest.raises(Fault, match=code):
        await diary.book(**facts)


async def test_a_case_has_one_appointment_and_a_key_makes_one(diary: Diary, office, agent: Principal) -> None:
    request = {"reservation_id": str(uuid4()), "idempotency_key": "again"}
    first = await diary.book(**request)
    assert (await diary.book(**request)).appointment_id == first.appointment_id
    with pytest.raises(Fault, match="appointment_exists"):
        await diary.book()
    async with office.database.transaction("show") as tx:
        shown = await queries.list_appointments(tx, agent, diary.case_id)
        with pytest.raises(Fault, match="domain_forbidden"):
            foreigner = Principal("a", frozenset({"agent"}), "cn.sc")
            await queries.get_appointment(tx, foreigner, first.appointment_id)
        with pytest.raises(Fault, match="appointment_unknown"):
            stranger = Principal("c", frozenset({"customer"}), customer_id=str(uuid4()))
            await queries.get_appointment(tx, stranger, first.appointment_id)
    assert [each.appointment_id for each in shown] == [str(first.appointment_id)]


async def test_a_case_at_the_desk_needs_no_visit(diary: Diary, office, agent: Principal) -> None:
    await office.assess(await diary.case(), agent, needs_visit=False)
    with pytest.raises(Fault, match="transition_forbidden"):
        await diary.book()

"""Cases on a real database, from acceptance to archive: the desk, the visit, and all that goes wrong on the way."""

from datetime import timedelta
from uuid import uuid4

import pytest
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import cases_pb2, events_pb2
from bihuan.records.v1 import events_pb2 as records_events
from intake import surveys
from intake.cases import assessing, closing, handling
from intake.cases.case import Confirmation, Outcome, Stage
from servicekit.clock import ManualClock
from servicekit.customerkeys import seal_text_for
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.messaging import NotYet

ENGINEER = str(uuid4())


@pytest.fixture
async def case(office, a_request, app: Principal):
    """A fault report that was just accepted."""
    return (await office.open(a_request(), app)).case


@pytest.fixture
async def delivered(office, case, agent: Principal, manual_clock: ManualClock):
    """Its result, from a visit, is with the customer."""
    case = await office.assess(case, agent, needs_visit=True)
    await office.tell_assigned(case, ENGINEER)
    await office.tell(dispatch_events.WorkOrderAccepted(**office.ids(case), engineer_id=ENGINEER), version=2)
    await office.tell_completed(case, ENGINEER, manual_clock.now())
    return await office.case(case.case_id)


def reference(case) -> dict[str, str]:
    return {"case": str(case.case_id)}


async def test_int05_a_desk_case_goes_round(office, case, agent: Principal, supervisor: Principal) -> None:
    case = await office.assess(case, agent, needs_visit=False)
    assert (case.stage, case.handler) == (Stage.ASSIGNED, "duty.gz")
    await office.change(handling.start_handling, agent, cases_pb2.StartHandlingRequest(**reference(case)))
    delivery = cases_pb2.DeliverResultRequest(**reference(case), result="已远程恢复")
    case = await office.change(handling.deliver_result, agent, delivery)
    assert (case.stage, await office.result(case), case.handler) == (Stage.DELIVERED, "已远程恢复", "agent.gz")
    confirmation = cases_pb2.ConfirmResultRequest(**reference(case), solved=True)
    await office.change(closing.confirm_result, agent, confirmation)
    follow_up = cases_pb2.RecordFollowUpRequest(**reference(case), note="客户满意", reached=True)
    case = await office.change(closing.record_follow_up, agent, follow_up)
    assert await office.problems(case) == []
    await office.tell(records_events.RecordFiled(record_id=str(uuid4()), case_id=str(case.case_id), version=1))
    case = await office.case(case.case_id)
    assert (case.stage, case.outcome) == (Stage.ARCHIVED, Outcome.SOLVED)
    assert await office.problems(case) == []
    assert set((await office.clocks(case)).values()) == {"met"}
    assert await office.history(case) == [
        "case_opened",
        "case_assessed",
        "handling_started",
        "result_delivered",
        "result_confirmed",
        "case_closed",
        "case_archived",
    ]


async def test_dsp03_a_visit_delivers_its_result_in_the_customers_language(
    office, case, agent: Principal, manual_clock: ManualClock
) -> None:
    case = await office.assess(case, agent, needs_visit=True)
    (command,) = await office.sent(dispatch_events.CreateWorkOrder)
    assert (command.skill, command.level, command.region) == ("broadband_repair", "junior", "cn.gd.gz.tianhe")
    assert command.work_order_id == str(case.work_order_id)
    assert (await office.clocks(case)) == {"fault_response": "met", "assessment": "running"}
    await office.tell(dispatch_events.WorkOrderWaiting(**office.ids(case), reasons=["no_qualified_engineer"]))
    await office.tell_assigned(case, ENGINEER)
    assigned = await office.case(case.case_id)
    assert (assigned.stage, assigned.handler, assigned.handler_name) == (Stage.ASSIGNED, ENGINEER, "陈工")
    await office.tell(dispatch_events.WorkOrderAccepted(**office.ids(case), engineer_id=ENGINEER), version=2)
    await office.tell(dispatch_events.WorkOrderTravelStarted(**office.ids(case), engineer_id=ENGINEER), version=3)
    await office.tell(dispatch_events.WorkOrderArrived(**office.ids(case), engineer_id=ENGINEER), version=4)
    assert (await office.case(case.case_id)).stage == Stage.HANDLING
    await office.tell_completed(case, ENGINEER, manual_clock.now(), version=5)
    case = await office.case(case.case_id)
    assert case.stage == Stage.DELIVERED
    assert await office.result(case) == "检查情况：光猫损坏\n处理措施：更换光猫"
    assert await office.problems(case) == []
    assert [sent.channel for sent in await office.sent(events_pb2.SurveySent)] == ["app"]


async def test_int11_not_solved_reopens_and_a_second_visit_follows(
    office, delivered, app: Principal, agent: Principal
) -> None:
    request = cases_pb2.ConfirmResultRequest(**reference(delivered), solved=False, comment="还是不行")
    case = await office.change(closing.confirm_result, app, request)
    assert (case.stage, case.priority, case.reopened_times) == (Stage.ACCEPTED, delivered.priority - 1, 1)
    assert await office.problems(case) == []
    again = await office.assess(case, agent, needs_visit=True)
    assert again.work_order_id != delivered.work_order_id
    await office.tell_completed(delivered, ENGINEER, again.accepted_at, version=9)
    assert (await office.case(case.case_id)).stage == Stage.ASSESSED, "a report of the old work order changes nothing"
    assert (await office.history(case))[-1] == "late_report_ignored"


async def test_dsp03_reports_in_any_order_end_in_the_same_stage(
    office, case, agent: Principal, manual_clock: ManualClock
) -> None:
    case = await office.assess(case, agent, needs_visit=True)
    await office.tell_completed(case, ENGINEER, manual_clock.now(), version=3)
    await office.tell_assigned(case, ENGINEER, version=1)
    await office.tell(dispatch_events.WorkOrderAccepted(**office.ids(case), engineer_id=ENGINEER), version=2)
    case = await office.case(case.case_id)
    assert case.stage == Stage.DELIVERED
    assert await office.problems(case) == []


@pytest.mark.parametrize("kind", [dispatch_events.WorkOrderFailed, dispatch_events.WorkOrderCancelled])
async def test_dsp03_a_visit_that_fails_brings_the_case_back(office, case, agent: Principal, kind) -> None:
    case = await office.assess(case, agent, needs_visit=True)
    await office.tell_assigned(case, ENGINEER)
    await office.tell(kind(**office.ids(case)), version=4)
    back = await office.case(case.case_id)
    assert (back.stage, back.work_order_id, back.priority) == (Stage.ACCEPTED, None, case.priority - 1)
    assert (await office.sent(events_pb2.CaseReopened))[0].reason == "work_order_failed"
    assert await office.problems(back) == []


async def test_dsp04_another_engineer_takes_over(office, case, agent: Principal) -> None:
    case = await office.assess(case, agent, needs_visit=True)
    await office.tell_assigned(case, ENGINEER, version=1)
    await office.tell(dispatch_events.WorkOrderAccepted(**office.ids(case), engineer_id=ENGINEER), version=2)
    other = str(uuid4())
    await office.tell_assigned(case, other, version=4)
    moved = await office.case(case.case_id)
    assert (moved.stage, moved.handler, moved.handler_user_id) == (Stage.ASSIGNED, other, f"user-{other}")
    assert await office.problems(moved) == []


async def test_int12_a_low_score_is_followed_up_by_the_supervisor(
    office, delivered, app: Principal, agent: Principal, supervisor: Principal
) -> None:
    answer = cases_pb2.AnswerSurveyRequest(**reference(delivered), score=2, comment="等太久")
    case = await office.change(surveys.answer_survey, app, answer)
    assert (case.satisfaction, case.priority) == (2, delivered.priority - 1)
    with pytest.raises(Fault, match="survey_already_answered"):
        await office.change(surveys.answer_survey, app, answer)
    await office.change(closing.confirm_result, app, cases_pb2.ConfirmResultRequest(**reference(case), solved=True))
    follow_up = cases_pb2.RecordFollowUpRequest(**reference(case), note="已致歉", reached=True)
    with pytest.raises(Fault, match="role_forbidden"):
        await office.change(closing.record_follow_up, agent, follow_up)
    closed = await office.change(closing.record_follow_up, supervisor, follow_up)
    assert closed.stage == Stage.CLOSED


async def test_rec01_closing_carries_everything_and_nothing_personal_in_clear(
    office, delivered, app: Principal, agent: Principal
) -> None:
    await office.change(
        closing.confirm_result, app, cases_pb2.ConfirmResultRequest(**reference(delivered), solved=True, comment="好了")
    )
    note = cases_pb2.RecordFollowUpRequest(**reference(delivered), note="客户王女士满意", reached=True)
    case = await office.change(closing.record_follow_up, agent, note)
    (closed,) = await office.sent(events_pb2.CaseClosed)
    assert (closed.snapshot.subject, closed.snapshot.description) == ("", "")
    assert closed.snapshot.version == case.version
    assert [entry.happened for entry in closed.history] == await office.history(case)
    assert [text.role for text in closed.sealed] == ["subject", "description", "confirmation_comment", "follow_up_note"]
    for personal in ("光猫红灯", "王女士", "13800138000", "张三", "好了"):
        assert personal not in str(closed)
        assert personal.encode() not in closed.SerializeToString()


async def test_rec01_the_record_may_come_only_once_the_case_is_closed(office, delivered) -> None:
    filed = records_events.RecordFiled(record_id=str(uuid4()), case_id=str(delivered.case_id), version=1)
    with pytest.raises(NotYet):
        await office.tell(filed)


async def test_int07_waiting_for_the_customer_stops_the_clocks(
    office, case, app: Principal, agent: Principal, manual_clock: ManualClock
) -> None:
    paused = await office.change(
        handling.pause_case, agent, cases_pb2.PauseCaseRequest(**reference(case), reason="需要客户提供账号")
    )
    assert set((await office.clocks(case)).values()) == {"paused"}
    assert await office.problems(paused) == []
    manual_clock.advance(timedelta(days=3))
    contact = cases_pb2.AddInteractionRequest(**reference(case), channel="app", inbound=True, text="账号是 1234")
    resumed = await office.change(handling.add_interaction, app, contact)
    assert not resumed.waiting_for_customer
    assert set((await office.clocks(case)).values()) == {"running"}
    with pytest.raises(Fault, match="transition_forbidden"):
        await office.change(handling.resume_case, agent, cases_pb2.ResumeCaseRequest(**reference(case)))


async def test_a_withdrawn_case_calls_off_its_visit_and_still_goes_to_records(
    office, case, app: Principal, agent: Principal
) -> None:
    case = await office.assess(case, agent, needs_visit=True)
    request = cases_pb2.WithdrawCaseRequest(**reference(case), reason="自己好了")
    case = await office.change(closing.withdraw_case, app, request)
    assert (case.stage, case.outcome) == (Stage.CLOSED, Outcome.WITHDRAWN)
    (command,) = await office.sent(dispatch_events.CancelWorkOrder)
    assert command.work_order_id == str(case.work_order_id)
    await office.tell(dispatch_events.WorkOrderCancelled(**office.ids(case), reason="case_withdrawn"), version=3)
    assert (await office.case(case.case_id)).stage == Stage.CLOSED
    assert await office.problems(case) == []
    assert len(await office.sent(events_pb2.CaseClosed)) == 1


async def test_int08_handing_over_is_recorded(office, case, agent: Principal) -> None:
    request = cases_pb2.HandOverCaseRequest(**reference(case), to="li.gz", reason="换班")
    case = await office.change(assessing.hand_over_case, agent, request)
    assert case.owner == "li.gz"
    (event,) = await office.sent(events_pb2.CaseHandedOver)
    assert (getattr(event, "from"), event.to) == ("duty.gz", "li.gz")


async def test_stale_versions_are_refused(office, case, agent: Principal) -> None:
    request = cases_pb2.PauseCaseRequest(**reference(case), expected_version=7, reason="…")
    with pytest.raises(Fault, match="stale_version"):
        await office.change(handling.pause_case, agent, request)
    assert (await office.case(case.case_id)).version == 1
    assert await office.history(case) == ["case_opened"]


async def test_a_refused_move_stores_nothing(office, case, agent: Principal) -> None:
    request = cases_pb2.DeliverResultRequest(**reference(case), result="…")
    with pytest.raises(Fault) as refused:
        await office.change(handling.deliver_result, agent, request)
    assert refused.value.params == {"action": "deliver_result", "state": "accepted"}
    assert await office.case(case.case_id) == case


async def test_gwy08_foreign_agents_and_other_customers_get_nothing(office, case) -> None:
    request = cases_pb2.WithdrawCaseRequest(**reference(case), reason="…")
    foreign = Principal("agent.sz", frozenset({"agent"}), "cn.gd.sz")
    with pytest.raises(Fault, match="domain_forbidden"):
        await office.change(closing.withdraw_case, foreign, request)
    stranger = Principal("sub", frozenset({"customer"}), customer_id=str(uuid4()))
    with pytest.raises(Fault, match="case_unknown"):
        await office.change(closing.withdraw_case, stranger, request)


async def test_unknown_skill_is_named(office, case, agent: Principal) -> None:
    request = cases_pb2.AssessCaseRequest(**reference(case), needs_visit=True, skill="juggling")
    request.classification.kind, request.classification.category = case.kind, case.category
    request.classification.urgency = "normal"
    with pytest.raises(Fault) as refused:
        await office.change(assessing.assess_case, agent, request)
    assert (refused.value.code, refused.value.field) == ("skill_unknown", "skill")


async def test_int11_a_delivered_case_is_confirmed_by_the_customer(office, delivered, app: Principal) -> None:
    request = cases_pb2.ConfirmResultRequest(**reference(delivered), solved=True)
    case = await office.change(closing.confirm_result, app, request)
    assert (case.stage, case.confirmation) == (Stage.CONFIRMED, Confirmation.BY_CUSTOMER)
    assert (await office.clocks(case))["customer_confirmation"] == "met"


async def test_rec_05_a_result_that_looks_sealed_is_sealed_like_any_other(office, case, agent: Principal) -> None:
    case = await office.assess(case, agent, needs_visit=False)
    await office.change(handling.start_handling, agent, cases_pb2.StartHandlingRequest(**reference(case)))
    delivery = cases_pb2.DeliverResultRequest(**reference(case), result="sealed:YWJj")
    assert (await office.change(handling.deliver_result, agent, delivery)).result != delivery.result
    assert await office.result(case) == "sealed:YWJj"


async def test_rec_05_what_dispatch_has_sealed_for_us_is_told_in_the_customers_language(
    office, case, agent: Principal, manual_clock: ManualClock
) -> None:
    case = await office.assess(case, agent, needs_visit=True)
    (command,) = await office.sent(dispatch_events.CreateWorkOrder)
    assert command.customer_id == str(case.customer_id)
    await office.tell_assigned(case, ENGINEER)
    done = dispatch_events.WorkOrderCompleted(**office.ids(case), engineer_id=ENGINEER)
    done.report.found = seal_text_for(command.sealing_key, case.customer_id, "张三家的光猫损坏")
    done.report.done = seal_text_for(command.sealing_key, case.customer_id, "更换光猫")
    done.finished_at.FromDatetime(manual_clock.now())
    await office.tell(done, version=3)
    assert await office.result(case) == "检查情况：张三家的光猫损坏\n处理措施：更换光猫"

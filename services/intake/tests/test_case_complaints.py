"""A case that turns out to be a complaint is handed to complaints and follows it (INT-02)."""

from uuid import uuid4

import pytest
from bihuan.complaints.v1 import commands_pb2, complaints_pb2, events_pb2
from bihuan.intake.v1 import cases_pb2
from intake.cases import assessing, closing, handling
from intake.cases.case import Outcome, Stage
from servicekit.clock import ManualClock
from servicekit.customerkeys import seal_text_for
from servicekit.errors import Fault
from servicekit.identity import Principal

COMPLAINT = cases_pb2.Classification(kind="complaint", category="internet_access", urgency="normal")


@pytest.fixture
async def handed_over(office, a_request, app: Principal, agent: Principal):
    """A case that complaints works on."""
    case = (await office.open(a_request(subject="投诉反复断网", description="第三次断网"), app)).case
    request = cases_pb2.AssessCaseRequest(case=str(case.case_id), classification=COMPLAINT, hand_to_complaints=True)
    return await office.change(assessing.assess_case, agent, request)


def ids(case) -> dict[str, str]:
    return {"complaint_id": str(case.complaint_id), "case_id": str(case.case_id)}


async def test_it_waits_for_complaints_which_gets_keywords_and_no_words(office, handed_over) -> None:
    assert (handed_over.stage, handed_over.handler) == (Stage.HANDLING, "complaints")
    (command,) = await office.sent(commands_pb2.RegisterComplaint)
    assert command.complaint_id == str(handed_over.complaint_id)
    assert {match.rule for match in command.keywords} == {"outage_words", "repeated_words"}
    assert (await office.clocks(handed_over))["complaint_result"] == "running"
    assert await office.problems(handed_over) == []


async def test_it_is_delivered_taken_back_and_delivered_again(
    office, handed_over, agent: Principal, manual_clock: ManualClock
) -> None:
    fed_back = events_pb2.ComplaintResultFedBack(**ids(handed_over), result="已更换线路")
    fed_back.handled_at.FromDatetime(manual_clock.now())
    await office.tell(fed_back)
    delivered = await office.case(handed_over.case_id)
    assert (delivered.stage, await office.result(delivered)) == (Stage.DELIVERED, "已更换线路")
    assert await office.problems(delivered) == []
    await office.tell(events_pb2.ComplaintReopened(**ids(handed_over)))
    waiting = await office.case(handed_over.case_id)
    assert (waiting.stage, waiting.reopened_times) == (Stage.HANDLING, 1)
    assert await office.problems(waiting) == []
    await office.tell(events_pb2.ComplaintSettled(**ids(handed_over), result="减免八成"))
    assert await office.result(handed_over) == "减免八成"


async def test_the_desk_can_not_deliver_what_complaints_works_on(office, handed_over, agent: Principal) -> None:
    request = cases_pb2.DeliverResultRequest(case=str(handed_over.case_id), result="好了")
    with pytest.raises(Fault, match="transition_forbidden"):
        await office.change(handling.deliver_result, agent, request)


async def test_news_of_another_complaint_changes_nothing(office, handed_over) -> None:
    stranger = {"complaint_id": str(uuid4()), "case_id": str(handed_over.case_id)}
    await office.tell(events_pb2.ComplaintSettled(**stranger, result="别人的"))
    await office.tell(events_pb2.ComplaintSettled(complaint_id=str(uuid4()), result="无工单"))
    assert (await office.case(handed_over.case_id)).stage == Stage.HANDLING
    assert (await office.history(handed_over))[-1] == "late_report_ignored"


async def test_withdrawing_goes_both_ways(office, handed_over, agent: Principal) -> None:
    request = cases_pb2.WithdrawCaseRequest(case=str(handed_over.case_id), reason="不再需要")
    case = await office.change(closing.withdraw_case, agent, request)
    (command,) = await office.sent(commands_pb2.WithdrawComplaint)
    assert command.complaint_id == str(handed_over.complaint_id)
    assert (case.stage, case.outcome) == (Stage.CLOSED, Outcome.WITHDRAWN)
    told = events_pb2.ComplaintClosed(**ids(handed_over))
    told.snapshot.outcome = complaints_pb2.COMPLAINT_OUTCOME_WITHDRAWN
    await office.tell(told)
    assert await office.problems(await office.case(handed_over.case_id)) == []


async def test_only_complaints_are_handed_over(office, a_request, app: Principal, agent: Principal) -> None:
    case = (await office.open(a_request(), app)).case
    request = cases_pb2.AssessCaseRequest(case=str(case.case_id), classification=COMPLAINT, hand_to_complaints=True)
    request.classification.kind = "inquiry"
    with pytest.raises(Fault, match="kind_unknown"):
        await office.change(assessing.assess_case, agent, request)


async def test_rec_05_what_complaints_has_sealed_for_us_is_kept_as_it_came(office, handed_over) -> None:
    (command,) = await office.sent(commands_pb2.RegisterComplaint)
    sealed = seal_text_for(command.sealing_key, handed_over.customer_id, "已更换线路")
    fed_back = events_pb2.ComplaintResultFedBack(**ids(handed_over), result=sealed)
    await office.tell(fed_back)
    assert (await office.case(handed_over.case_id)).result == sealed
    assert await office.result(handed_over) == "已更换线路"

"""Intake's contracts over real gRPC: access, validation, use case, answer (GWY-08, INT-01)."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from bihuan.intake.v1 import cases_pb2, cases_pb2_grpc, customers_pb2, customers_pb2_grpc
from intake.rpc.cases import CaseServicer
from intake.rpc.customers import CustomerServicer
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.rpc.client import Channel
from servicekit.rpc.server import Server


class Tokens:
    """Takes a role for a token."""

    async def verify(self, token: str) -> Principal:
        return Principal(f"{token}.gz", frozenset({token}), "cn.gd", language="zh-CN")


@pytest.fixture
async def address(office) -> AsyncIterator[str]:
    server = Server(
        "127.0.0.1:0",
        [
            (cases_pb2_grpc.add_CaseServiceServicer_to_server, CaseServicer(office.database, office.desk)),
            (customers_pb2_grpc.add_CustomerServiceServicer_to_server, CustomerServicer(office.database, office.desk)),
        ],
        tokens=Tokens(),
        is_ready=office.database.is_reachable,
    )
    await server.start()
    yield server.address
    await server.stop(1)


@pytest.fixture
async def agent_channel(address: str) -> AsyncIterator[Channel]:
    channel = Channel(address, lambda: "agent")
    yield channel
    await channel.close()


async def test_a_desk_case_by_calls(office, agent_channel: Channel, a_request) -> None:
    cases = cases_pb2_grpc.CaseServiceStub(agent_channel)
    opened = await cases.OpenCase(a_request(idempotency_key="k"))
    assert (await cases.OpenCase(a_request(idempotency_key="k"))).case.case_id == opened.case.case_id
    case = opened.case
    assert (case.subject, case.description, case.owner) == ("宽带断网", "光猫红灯，上不了网", "agent.gz")
    assess = cases_pb2.AssessCaseRequest(
        case=case.case_number, expected_version=case.version, classification=case.classification
    )
    case = await cases.AssessCase(assess)
    assert (case.stage, case.classification_confirmed) == (cases_pb2.CASE_STAGE_ASSIGNED, True)
    with pytest.raises(Fault, match="stale_version"):
        await cases.AssessCase(assess)
    by_number = {"case": case.case_number}
    await cases.StartHandling(cases_pb2.StartHandlingRequest(**by_number))
    await cases.DeliverResult(cases_pb2.DeliverResultRequest(**by_number, result="已恢复"))
    await cases.AnswerSurvey(cases_pb2.AnswerSurveyRequest(**by_number, score=5))
    await cases.ConfirmResult(cases_pb2.ConfirmResultRequest(**by_number, solved=True))
    closed = await cases.RecordFollowUp(cases_pb2.RecordFollowUpRequest(**by_number, note="满意", reached=True))
    assert (closed.stage, closed.satisfaction) == (cases_pb2.CASE_STAGE_CLOSED, 5)
    assert await cases.GetCase(cases_pb2.GetCaseRequest(**by_number)) == closed
    history = await cases.GetCaseHistory(cases_pb2.GetCaseHistoryRequest(**by_number))
    assert [entry.version for entry in history.entries] == list(range(1, 8))
    progress = await cases.GetProgress(cases_pb2.GetCaseRequest(**by_number))
    assert progress.stage_text == "已结案"
    listed = await cases.ListCases(cases_pb2.ListCasesRequest(stage=cases_pb2.CASE_STAGE_CLOSED))
    assert [each.case_id for each in listed.cases] == [case.case_id]


async def test_every_step_beside_the_way_by_calls(agent_channel: Channel, a_request) -> None:
    cases = cases_pb2_grpc.CaseServiceStub(agent_channel)
    case = (await cases.OpenCase(a_request())).case
    by_id = {"case": case.case_id}
    paused = await cases.PauseCase(cases_pb2.PauseCaseRequest(**by_id, reason="账号？"))
    assert paused.waiting_for_customer
    await cases.ResumeCase(cases_pb2.ResumeCaseRequest(**by_id))
    contact = cases_pb2.AddInteractionRequest(**by_id, channel="hotline", text="已电话联系", idempotency_key="c")
    added = await cases.AddInteraction(contact)
    assert await cases.AddInteraction(contact) == added
    handed = await cases.HandOverCase(cases_pb2.HandOverCaseRequest(**by_id, to="li.gz", reason="换班"))
    assert handed.owner == "li.gz"
    withdrawn = await cases.WithdrawCase(cases_pb2.WithdrawCaseRequest(**by_id, reason="自己好了"))
    assert withdrawn.outcome == cases_pb2.CASE_OUTCOME_WITHDRAWN


async def test_cases_are_listed_page_by_page_as_they_were_asked_for(agent_channel: Channel, a_request) -> None:
    cases = cases_pb2_grpc.CaseServiceStub(agent_channel)
    opened = [(await cases.OpenCase(a_request(phone=f"1390000{n:04}"))).case.case_number for n in range(3)]
    listed, token = [], ""
    while True:
        page = await cases.ListCases(cases_pb2.ListCasesRequest(page_size=2, page_token=token))
        listed.append([case.case_number for case in page.cases])
        token = page.next_page_token or token
        if not page.next_page_token:
            break
    assert listed == [opened[:0:-1], opened[:1]]
    with pytest.raises(Fault, match="page_token_invalid"):
        await cases.ListCases(cases_pb2.ListCasesRequest(page_size=2, page_token=token, kind="inquiry"))


async def test_customers_by_calls(agent_channel: Channel, address: str) -> None:
    customers = customers_pb2_grpc.CustomerServiceStub(agent_channel)
    registered = await customers.RegisterCustomer(
        customers_pb2.RegisterCustomerRequest(name="张三", phone="13800138000", region="cn.gd.gz")
    )
    wanted = customers_pb2.GetCustomerRequest(customer_id=registered.customer_id)
    assert await customers.GetCustomer(wanted) == registered
    found = await customers.FindCustomers(customers_pb2.FindCustomersRequest(phone="+8613800138000"))
    assert list(found.customers) == [registered]
    nobody = await customers.FindCustomers(customers_pb2.FindCustomersRequest(phone="13800138001"))
    assert not nobody.customers
    erase = customers_pb2.EraseCustomerRequest(customer_id=registered.customer_id, reason="客户要求")
    with pytest.raises(Fault, match="role_forbidden"):
        await customers.EraseCustomer(erase)
    channel = Channel(address, lambda: "supervisor")
    erased = await customers_pb2_grpc.CustomerServiceStub(channel).EraseCustomer(erase)
    unseal = customers_pb2.UnsealRequest(customer_id=registered.customer_id, sealed=[b"anything"])
    assert (await customers_pb2_grpc.CustomerServiceStub(channel).Unseal(unseal)).erased
    await channel.close()
    assert (erased.name, erased.erased) == ("", True)


async def test_bad_requests_are_told_apart(agent_channel: Channel, address: str, a_request) -> None:
    cases = cases_pb2_grpc.CaseServiceStub(agent_channel)
    with pytest.raises(Fault, match="invalid_argument"):
        await cases.OpenCase(a_request(subject="x" * 201))
    with pytest.raises(Fault, match="invalid_argument"):
        # A hand-over is told to everybody: it takes an id, no name and no number with it (REC-05).
        await cases.HandOverCase(cases_pb2.HandOverCaseRequest(case=str(uuid4()), to="王芳 13800138000", reason="x"))
    with pytest.raises(Fault, match="kind_unknown"):
        await cases.OpenCase(a_request(kind="unheard_of"))
    with pytest.raises(Fault, match="case_number_invalid"):
        await cases.GetCase(cases_pb2.GetCaseRequest(case="2611-0000-0018"))
    with pytest.raises(Fault, match="case_unknown"):
        await cases.GetCase(cases_pb2.GetCaseRequest(case=str(uuid4())))
    channel = Channel(address, lambda: "trainer")
    with pytest.raises(Fault, match="role_forbidden"):
        await cases_pb2_grpc.CaseServiceStub(channel).OpenCase(a_request())
    await channel.close()

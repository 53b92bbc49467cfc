"""CaseService (INT-01 to INT-14)."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import grpc.aio
from bihuan.intake.v1 import cases_pb2, cases_pb2_grpc
from google.protobuf.message import Message
from servicekit.database import Database, UnitOfWork, current_traceparent
from servicekit.gathering import Gatherer
from servicekit.identity import Principal, caller, language
from servicekit.ids import uuid7
from servicekit.rpc.paging import PageToken, narrowed
from servicekit.telemetry.lifecycle import concerns_case

from intake import surveys
from intake.cases import assessing, closing, handling, queries
from intake.cases.case import Case
from intake.cases.messages import case_message, stage_of
from intake.cases.opening import Opened, open_cases
from intake.cases.progress import describe
from intake.cases.queries import Filters
from intake.cases.reports import Report, read_report
from intake.customers.store import key_of
from intake.desk import Desk
from intake.outages import following
from servicekit import deadlines

Context = grpc.aio.ServicerContext[Any, Any]
Request = TypeVar("Request", bound=Message)
Change = Callable[[UnitOfWork, Desk, Principal, Request], Awaitable[Case]]

DEFAULT_PAGE = 50
LISTING = "cases"


class CaseServicer(cases_pb2_grpc.CaseServiceServicer):
    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk
        # Creations share transactions: under load this multiplies what one database can take.
        self._reports = Gatherer[Report, Opened](database, "open_case", lambda tx, many: open_cases(tx, desk, many))

    async def OpenCase(self, request: cases_pb2.OpenCaseRequest, context: Context) -> cases_pb2.OpenCaseResponse:
        principal = caller(context)
        report = read_report(
            request,
            principal,
            language(context),
            report_id=uuid7(),
            traceparent=current_traceparent(),
            standards=self._desk.standards,
            proposer=self._desk.proposer,
        )
        opened = await self._reports.submit(report)
        concerns_case(opened.case.case_id)
        message = case_message(opened.case, opened.clocks)
        queries.add_words(message, self._desk, principal, opened.case, key_of(opened.customer))
        return cases_pb2.OpenCaseResponse(case=message, joined=opened.joined)

    async def GetCase(self, request: cases_pb2.GetCaseRequest, context: Context) -> cases_pb2.Case:
        principal = caller(context)
        async with self._database.transaction("get_case") as tx:
            case = await queries.find_visible(tx, principal, request.case)
            return (await queries.show(tx, self._desk, principal, [case]))[0]

    async def ListCases(self, request: cases_pb2.ListCasesRequest, context: Context) -> cases_pb2.ListCasesResponse:
        size, listing = request.page_size or DEFAULT_PAGE, narrowed(LISTING, request)
        key = PageToken.decode(listing, request.page_token)
        filters = Filters(
            stage=stage_of(request.stage) if request.stage else None,
            customer_id=UUID(request.customer_id) if request.customer_id else None,
            region=request.region,
            responsible=request.responsible,
            kind=request.kind,
            incident_id=UUID(request.incident_id) if request.incident_id else None,
        )
        async with self._database.transaction("list_cases") as tx:
            principal = caller(context)
            found = await queries.list_cases(tx, principal, filters, before=key[0] if key else None, limit=size + 1)
            page = found[:size]
            shown = await queries.show(tx, self._desk, principal, page)
        more = PageToken.encode(listing, page[-1].case_id) if len(found) > size else ""
        return cases_pb2.ListCasesResponse(cases=shown, next_page_token=more)

    async def GetProgress(self, request: cases_pb2.GetCaseRequest, context: Context) -> cases_pb2.Progress:
        async with self._database.transaction("get_progress") as tx:
            case = await queries.find_visible(tx, caller(context), request.case)
            clocks = (await deadlines.of(tx, [str(case.case_id)]))[str(case.case_id)]
            history = await queries.history_of(tx, case)
        concerns_case(case.case_id)
        return describe(case, clocks, history, language(context), self._desk.standards)

    async def GetCaseHistory(
        self, request: cases_pb2.GetCaseHistoryRequest, context: Context
    ) -> cases_pb2.GetCaseHistoryResponse:
        async with self._database.transaction("get_case_history") as tx:
            case = await queries.find_visible(tx, caller(context), request.case)
            return cases_pb2.GetCaseHistoryResponse(entries=await queries.history_of(tx, case))

    async def AssessCase(self, request: cases_pb2.AssessCaseRequest, context: Context) -> cases_pb2.Case:
        return await self._change("assess_case", assessing.assess_case, request, context)

    async def HandOverCase(self, request: cases_pb2.HandOverCaseRequest, context: Context) -> cases_pb2.Case:
        return await self._change("hand_over_case", assessing.hand_over_case, request, context)

    async def StartHandling(self, request: cases_pb2.StartHandlingRequest, context: Context) -> cases_pb2.Case:
        return await self._change("start_handling", handling.start_handling, request, context)

    async def DeliverResult(self, request: cases_pb2.DeliverResultRequest, context: Context) -> cases_pb2.Case:
        return await self._change("deliver_result", handling.deliver_result, request, context)

    async def ConfirmResult(self, request: cases_pb2.ConfirmResultRequest, context: Context) -> cases_pb2.Case:
        return await self._change("confirm_result", closing.confirm_result, request, context)

    async def AnswerSurvey(self, request: cases_pb2.AnswerSurveyRequest, context: Context) -> cases_pb2.Case:
        return await self._change("answer_survey", surveys.answer_survey, request, context)

    async def RecordFollowUp(self, request: cases_pb2.RecordFollowUpRequest, context: Context) -> cases_pb2.Case:
        return await self._change("record_follow_up", closing.record_follow_up, request, context)

    async def PauseCase(self, request: cases_pb2.PauseCaseRequest, context: Context) -> cases_pb2.Case:
        return await self._change("pause_case", handling.pause_case, request, context)

    async def ResumeCase(self, request: cases_pb2.ResumeCaseRequest, context: Context) -> cases_pb2.Case:
        return await self._change("resume_case", handling.resume_case, request, context)

    async def WithdrawCase(self, request: cases_pb2.WithdrawCaseRequest, context: Context) -> cases_pb2.Case:
        return await self._change("withdraw_case", closing.withdraw_case, request, context)

    async def AddInteraction(self, request: cases_pb2.AddInteractionRequest, context: Context) -> cases_pb2.Case:
        return await self._change("add_interaction", handling.add_interaction, request, context)

    async def AttachToIncident(self, request: cases_pb2.AttachToIncidentRequest, context: Context) -> cases_pb2.Case:
        return await self._change("attach_to_incident", following.attach_to_incident, request, context)

    async def DetachFromIncident(
        self, request: cases_pb2.DetachFromIncidentRequest, context: Context
    ) -> cases_pb2.Case:
        return await self._change("detach_from_incident", following.detach_from_incident, request, context)

    async def _change(self, name: str, change: Change[Request], request: Request, context: Context) -> cases_pb2.Case:
        """Runs one change in a transaction of its own and shows the case as it is then."""
        principal = caller(context)

        async def work(tx: UnitOfWork) -> cases_pb2.Case:
            case = await change(tx, self._desk, principal, request)
            return (await queries.show(tx, self._desk, principal, [case]))[0]

        message = await self._database.run(name, work)
        concerns_case(message.case_id)
        return message

"""ComplaintService (CMP-01 to CMP-08)."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import grpc.aio
from bihuan.complaints.v1 import complaint_service_pb2, complaint_service_pb2_grpc, complaints_pb2, requests_pb2
from google.protobuf.message import Message
from servicekit.database import Database, UnitOfWork
from servicekit.identity import Principal, caller, language
from servicekit.rpc.paging import PageToken, narrowed
from servicekit.telemetry.lifecycle import concerns_case

from complaints import complainants
from complaints.complaints import answering, closing, handling, learning, queries
from complaints.complaints.complaint import Complaint
from complaints.complaints.messages import stage_of
from complaints.complaints.queries import Filters
from complaints.complaints.registering import register_complaint
from complaints.desk import Desk

DEFAULT_PAGE = 50
LISTING = "complaints"

Context = grpc.aio.ServicerContext[Any, Any]
Request = TypeVar("Request", bound=Message)
Change = Callable[[UnitOfWork, Desk, Principal, Request], Awaitable[Complaint]]


class ComplaintServicer(complaint_service_pb2_grpc.ComplaintServiceServicer):
    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk

    async def RegisterComplaint(
        self, request: requests_pb2.RegisterComplaintRequest, context: Context
    ) -> complaints_pb2.Complaint:
        spoken = language(context)

        async def register(
            tx: UnitOfWork, desk: Desk, principal: Principal, wanted: requests_pb2.RegisterComplaintRequest
        ) -> Complaint:
            return await register_complaint(tx, desk, principal, wanted, spoken)

        return await self._change(register, request, context)

    async def GetComplaint(
        self, request: requests_pb2.GetComplaintRequest, context: Context
    ) -> complaints_pb2.Complaint:
        principal = caller(context)
        async with self._database.transaction("get_complaint") as tx:
            complaint = await queries.find_visible(tx, principal, request.complaint)
            return await queries.show(tx, self._desk, principal, complaint)

    async def ListComplaints(
        self, request: requests_pb2.ListComplaintsRequest, context: Context
    ) -> requests_pb2.ListComplaintsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        filters = Filters(
            stage=stage_of(request.stage),
            customer_id=UUID(request.customer_id) if request.customer_id else None,
            region=request.region,
            responsible=request.responsible,
            complaint_class=request.complaint_class,
            severity=request.severity,
        )
        async with self._database.transaction("list_complaints") as tx:
            found = await queries.list_complaints(
                tx, self._desk, caller(context), filters, before=key[0] if key else None, limit=size + 1
            )
        page = found[:size]
        more = PageToken.encode(narrowed(LISTING, request), UUID(page[-1].complaint_id)) if len(found) > size else ""
        return requests_pb2.ListComplaintsResponse(complaints=page, next_page_token=more)

    async def GetComplaintHistory(
        self, request: requests_pb2.GetComplaintRequest, context: Context
    ) -> requests_pb2.GetComplaintHistoryResponse:
        async with self._database.transaction("get_complaint_history") as tx:
            complaint = await queries.find_visible(tx, caller(context), request.complaint)
            entries = await queries.history_of(tx, complaint)
        return requests_pb2.GetComplaintHistoryResponse(entries=entries)

    async def ListContacts(
        self, request: requests_pb2.GetComplaintRequest, context: Context
    ) -> requests_pb2.ListContactsResponse:
        async with self._database.transaction("list_contacts") as tx:
            complaint = await queries.find_visible(tx, caller(context), request.complaint)
            contacts = await queries.contacts_of(tx, self._desk, complaint)
        return requests_pb2.ListContactsResponse(contacts=contacts)

    async def ListCauses(
        self, request: complaint_service_pb2.ListCausesRequest, context: Context
    ) -> complaint_service_pb2.ListCausesResponse:
        async with self._database.transaction("list_causes") as tx:
            groups = await queries.group_causes(
                tx, self._desk, caller(context), region=request.region, language=language(context)
            )
        return complaint_service_pb2.ListCausesResponse(groups=groups)

    async def Unseal(
        self, request: complaint_service_pb2.UnsealRequest, context: Context
    ) -> complaint_service_pb2.UnsealResponse:
        async with self._database.transaction("unseal") as tx:
            texts, erased = await complainants.unseal_texts(
                tx, self._desk.sealer, caller(context), UUID(request.customer_id), request.sealed
            )
        return complaint_service_pb2.UnsealResponse(texts=texts, erased=erased)

    async def ClassifyComplaint(
        self, request: requests_pb2.ClassifyComplaintRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(handling.classify_complaint, request, context)

    async def TakeLead(self, request: requests_pb2.ComplaintStepRequest, context: Context) -> complaints_pb2.Complaint:
        return await self._change(handling.take_lead, request, context)

    async def HandOverComplaint(
        self, request: requests_pb2.HandOverComplaintRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(handling.hand_over_complaint, request, context)

    async def StartComplaint(
        self, request: requests_pb2.ComplaintStepRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(handling.start_complaint, request, context)

    async def RecordHandling(
        self, request: requests_pb2.RecordHandlingRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(handling.record_handling, request, context)

    async def AddContact(self, request: requests_pb2.AddContactRequest, context: Context) -> complaints_pb2.Complaint:
        return await self._change(handling.add_contact, request, context)

    async def GrantRemedy(self, request: requests_pb2.GrantRemedyRequest, context: Context) -> complaints_pb2.Complaint:
        return await self._change(handling.grant_remedy, request, context)

    async def RequestInvestigation(
        self, request: requests_pb2.RequestInvestigationRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(handling.request_investigation, request, context)

    async def ResolveComplaint(
        self, request: requests_pb2.ResolveComplaintRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(handling.resolve_complaint, request, context)

    async def FeedBackResult(
        self, request: requests_pb2.ComplaintStepRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(answering.feed_back_result, request, context)

    async def AnswerResult(
        self, request: requests_pb2.AnswerResultRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(answering.answer_result, request, context)

    async def OpenDispute(self, request: requests_pb2.OpenDisputeRequest, context: Context) -> complaints_pb2.Complaint:
        return await self._change(answering.open_dispute, request, context)

    async def AdvanceDispute(
        self, request: requests_pb2.AdvanceDisputeRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(answering.advance_dispute, request, context)

    async def AddDisputeDocument(
        self, request: requests_pb2.AddDisputeDocumentRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(answering.add_dispute_document, request, context)

    async def SettleDispute(
        self, request: requests_pb2.SettleDisputeRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(answering.settle_dispute, request, context)

    async def AnalyseCause(
        self, request: requests_pb2.AnalyseCauseRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(learning.analyse_cause, request, context)

    async def PlanImprovement(
        self, request: requests_pb2.PlanImprovementRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(learning.plan_improvement, request, context)

    async def ReportImprovement(
        self, request: requests_pb2.ReportImprovementRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(learning.report_improvement, request, context)

    async def VerifyImprovement(
        self, request: requests_pb2.VerifyImprovementRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(learning.verify_improvement, request, context)

    async def StandardiseImprovement(
        self, request: requests_pb2.StandardiseImprovementRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(learning.standardise_improvement, request, context)

    async def CloseComplaint(
        self, request: requests_pb2.CloseComplaintRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(closing.close_complaint, request, context)

    async def WithdrawComplaint(
        self, request: requests_pb2.WithdrawComplaintRequest, context: Context
    ) -> complaints_pb2.Complaint:
        return await self._change(closing.withdraw_complaint, request, context)

    async def _change(self, change: Change[Request], request: Request, context: Context) -> complaints_pb2.Complaint:
        """Runs one change in a transaction of its own and shows the complaint as it is then."""
        principal = caller(context)

        async def work(tx: UnitOfWork) -> complaints_pb2.Complaint:
            complaint = await change(tx, self._desk, principal, request)
            return await queries.show(tx, self._desk, principal, complaint)

        message = await self._database.run(change.__name__, work)
        concerns_case(message.case_id or message.complaint_id)
        return message

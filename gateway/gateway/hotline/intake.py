"""What the hotline asks of intake, in the name of the voice platform and in the caller's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bihuan.common.v1.common_pb2 import IDENTITY_CHECK_CALLER_NUMBER, IDENTITY_CHECK_NONE
from bihuan.intake.v1 import cases_pb2, customers_pb2
from bihuan.intake.v1.cases_pb2_grpc import CaseServiceStub
from bihuan.intake.v1.customers_pb2_grpc import CustomerServiceStub
from servicekit.languages import Language
from servicekit.rpc.client import Channel

from gateway.hotline.state import State

CHANNEL: Final = "ivr"
# The newest cases of a customer among which one is looked for.
_LOOKED_THROUGH: Final = 50


class Stubs:
    """Intake's calls for the life of the process."""

    def __init__(self, channel: Channel, seconds: float) -> None:
        self.cases: Any = CaseServiceStub(channel)  # type: ignore[no-untyped-call]
        self.customers: Any = CustomerServiceStub(channel)  # type: ignore[no-untyped-call]
        self.seconds = seconds


class Intake:
    """Intake for one page of one call. Every method raises the Fault that intake raised, or `unavailable`."""

    def __init__(self, stubs: Stubs, authorization: str, language: Language) -> None:
        self._stubs = stubs
        self._how = {
            "timeout": stubs.seconds,
            "metadata": (("authorization", authorization), ("accept-language", language)),
        }

    async def find_customers(self, phone: str) -> Sequence[customers_pb2.Customer]:
        """Everybody who is recognised by this number."""
        request = customers_pb2.FindCustomersRequest(phone=phone)
        found = await self._stubs.customers.FindCustomers(request, **self._how)
        customers: Sequence[customers_pb2.Customer] = found.customers
        return customers

    async def open_case(
        self, state: State, *, region: str, subject: str, description: str, kind: str, category: str
    ) -> cases_pb2.OpenCaseResponse:
        """Opens a case for the caller, once however often this turn is asked for it."""
        check = IDENTITY_CHECK_CALLER_NUMBER if state.is_known else IDENTITY_CHECK_NONE
        caller = cases_pb2.Caller(customer_id=state.customer_id, identity_check=check)
        if not state.is_known:
            caller.phone = state.phone
        request = cases_pb2.OpenCaseRequest(
            idempotency_key=state.key,
            channel=CHANNEL,
            caller=caller,
            region=region,
            subject=subject,
            description=description,
            kind=kind,
            category=category,
            language=state.language or "",
        )
        opened: cases_pb2.OpenCaseResponse = await self._stubs.cases.OpenCase(request, **self._how)
        return opened

    async def case(self, number: str) -> cases_pb2.Case:
        case: cases_pb2.Case = await self._stubs.cases.GetCase(cases_pb2.GetCaseRequest(case=number), **self._how)
        return case

    async def progress(self, number: str) -> cases_pb2.Progress:
        request = cases_pb2.GetCaseRequest(case=number)
        progress: cases_pb2.Progress = await self._stubs.cases.GetProgress(request, **self._how)
        return progress

    async def newest_cases(self, customer_id: str) -> Sequence[cases_pb2.Case]:
        """The customer's cases, newest first, as far back as a call is about."""
        request = cases_pb2.ListCasesRequest(customer_id=customer_id, page_size=_LOOKED_THROUGH)
        listed = await self._stubs.cases.ListCases(request, **self._how)
        cases: Sequence[cases_pb2.Case] = listed.cases
        return cases

    async def answer_survey(self, number: str, score: int) -> None:
        await self._stubs.cases.AnswerSurvey(cases_pb2.AnswerSurveyRequest(case=number, score=score), **self._how)

    async def add_contact(self, state: State, number: str, text: str) -> None:
        """Keeps on the case that the customer spoke to us, once however often this turn is asked for it."""
        request = cases_pb2.AddInteractionRequest(
            case=number, channel=CHANNEL, inbound=True, text=text, idempotency_key=state.key
        )
        await self._stubs.cases.AddInteraction(request, **self._how)

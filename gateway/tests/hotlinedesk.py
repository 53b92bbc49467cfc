"""For the tests of the hotline: a small intake, a line to the hotline, and what every page must fulfil."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import httpx
from bihuan.intake.v1 import cases_pb2, cases_pb2_grpc, customers_pb2, customers_pb2_grpc
from servicekit.casenumbers import issue
from servicekit.errors import Fault
from servicekit.identity import language
from servicekit.ids import uuid7
from servicekit.testing.postgres import TEST_START

VXML = "{http://www.w3.org/2001/vxml}"
XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# The W3C's schema of VoiceXML 2.1, where somebody has it.
SCHEMA = os.environ.get("BIHUAN_VOICEXML_SCHEMA", "")

EXECUTABLE = {"prompt", "var", "assign", "submit", "goto", "disconnect", "reprompt"}
KNOWN = EXECUTABLE | {
    "vxml", "property", "catch", "form", "block", "field", "transfer", "noinput", "nomatch", "filled",
    "grammar", "rule", "one-of", "item", "ruleref", "say-as",
}  # fmt: skip


class Desk(cases_pb2_grpc.CaseServiceServicer, customers_pb2_grpc.CustomerServiceServicer):
    """Keeps customers and cases in memory; `away` is what every call raises while intake has trouble."""

    def __init__(self) -> None:
        self.customers: list[customers_pb2.Customer] = []
        self.cases: list[cases_pb2.Case] = []
        self.opened: dict[str, cases_pb2.Case] = {}
        self.contacts: dict[str, cases_pb2.AddInteractionRequest] = {}
        self.requests: list[Any] = []
        self.languages: set[str] = set()
        self.away: Exception | None = None

    def customer(self, phone: str, name: str = "王**", region: str = "cn.gd.gz.tianhe") -> customers_pb2.Customer:
        known = customers_pb2.Customer(customer_id=str(uuid7()), name=name, phone=phone, region=region)
        self.customers.append(known)
        return known

    def case(self, customer_id: str, stage: str = "ACCEPTED", subject: str = "宽带断网") -> cases_pb2.Case:
        case = cases_pb2.Case(
            case_id=str(uuid7()),
            case_number=issue("", TEST_START.date(), len(self.cases)),
            stage=cases_pb2.CaseStage.Value(f"CASE_STAGE_{stage}"),
            customer_id=customer_id,
            subject=subject,
        )
        self.cases.insert(0, case)
        return case

    def _note(self, request: Any, context: Any) -> None:
        self.requests.append(request)
        self.languages.add(language(context))
        if self.away:
            raise self.away

    def _find(self, number: str) -> cases_pb2.Case:
        for case in self.cases:
            if number in {case.case_number, case.case_id}:
                return case
        raise Fault("case_unknown", field="case", case=number)

    async def FindCustomers(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note(request, context)
        found = [customer for customer in self.customers if customer.phone == request.phone]
        return customers_pb2.FindCustomersResponse(customers=found)

    async def OpenCase(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note(request, context)
        if request.idempotency_key not in self.opened:
            customer_id = request.caller.customer_id or self.customer(request.caller.phone, "").customer_id
            self.opened[request.idempotency_key] = self.case(customer_id, subject=request.subject)
        return cases_pb2.OpenCaseResponse(case=self.opened[request.idempotency_key], joined="again" in request.subject)

    async def GetCase(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note(request, context)
        return self._find(request.case)

    async def ListCases(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note(request, context)
        found = [case for case in self.cases if case.customer_id == request.customer_id]
        return cases_pb2.ListCasesResponse(cases=found)

    async def GetProgress(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note(request, context)
        case = self._find(request.case)
        return cases_pb2.Progress(
            case_number=case.case_number,
            stage_text="已受理",
            responsible="陈工",
            promise_text="我们将在2026-03-03 08:05前完成评估。",
            next_text="请留意来电。",
        )

    async def AnswerSurvey(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note(request, context)
        case = self._find(request.case)
        if case.satisfaction:
            raise Fault("survey_already_answered")
        case.satisfaction = request.score
        return case

    async def AddInteraction(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._note(request, context)
        self.contacts[request.idempotency_key] = request
        return self._find(request.case)


class Line:
    """A line to the hotline: fetches page after page, as the keys pressed on it ask for."""

    def __init__(self, http: httpx.AsyncClient, headers: Mapping[str, str]) -> None:
        self.http = http
        self.headers = dict(headers)
        self.page = Element("none")

    async def fetch(self, path: str, fields: Mapping[str, str] | None = None) -> Element:
        """The page, which is one whatever happened."""
        method = "GET" if fields is None else "POST"
        answer = await self.http.request(method, path, data=fields, headers=self.headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/voicexml+xml")
        self.page = sound(answer.content)
        return self.page

    async def dial(self, caller: str, *keys: str) -> Element:
        await self.fetch("/hotline")
        await self.fetch("/hotline/start", {"caller": caller})
        return await self.press(*keys)

    async def press(self, *keys: str) -> Element:
        for key in keys:
            await self.fetch("/hotline/keys", {"state": self.state, "key": key})
        return self.page

    @property
    def state(self) -> str:
        (state,) = (each for each in self.page.findall(f"{VXML}var") if each.get("name") == "state")
        return state.attrib["expr"].strip("'")


def said(page: Element, form: str = "step") -> str:
    """What is heard in a form of the page when all goes well."""
    heard = [
        "".join(prompt.itertext())
        for part in form_of(page, form)
        for prompt in (part.findall(f"{VXML}prompt"))
        if part.tag in {f"{VXML}block", f"{VXML}field"}
    ]
    return " ".join(heard)


def form_of(page: Element, name: str) -> Element:
    (form,) = (each for each in page.findall(f"{VXML}form") if each.get("id") == name)
    return form


def transfer_of(page: Element, form: str = "step") -> Element | None:
    return form_of(page, form).find(f"{VXML}transfer")


def sound(content: bytes) -> Element:
    """The page, which must be one that every platform can play to its end."""
    if SCHEMA:
        _validate(content)
    page = fromstring(content)
    assert page.attrib["version"] == "2.1"
    names = {element.tag.removeprefix(VXML) for element in page.iter()}
    assert names <= KNOWN, names - KNOWN
    for prompt in page.iter(f"{VXML}prompt"):
        assert prompt.get(XML_LANGUAGE) in {"zh-CN", "en"}
        assert "".join(prompt.itertext()).strip()
    forms = {form.get("id") for form in page.iter(f"{VXML}form")}
    for goto in page.iter(f"{VXML}goto"):
        assert goto.attrib["next"].removeprefix("#") in forms
    for field in page.iter(f"{VXML}field"):
        assert field.find(f"{VXML}grammar") is not None
        for event in ("noinput", "nomatch"):
            assert [each.get("count") for each in field.findall(VXML + event)] == ["1", "3"]
    declared = {
        each.get("name") for each in page.iter() if each.tag in {VXML + "var", VXML + "field", VXML + "transfer"}
    }
    fetches = list(page.iter(f"{VXML}submit"))
    for submit in fetches:
        assert set(submit.get("namelist", "").split()) <= declared
        assert submit.attrib["method"] == "post"
    if fetches:
        # When the next page can't be had, this one must know what to say.
        assert page.find(f"{VXML}catch[@event='error']/{VXML}goto[@next='#trouble']") is not None
    return page


def _validate(content: bytes) -> None:
    from lxml import etree  # noqa: PLC0415 -- only for those who have the schema

    schema = etree.XMLSchema(etree.parse(str(Path(SCHEMA))))
    schema.assertValid(etree.fromstring(content))

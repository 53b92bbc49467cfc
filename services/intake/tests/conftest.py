"""Intake's own database, people of every role, and the parts of stories that several tests tell."""

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import cases_pb2
from google.protobuf.json_format import Parse
from google.protobuf.message import Message
from intake.cases import assessing, queries, store, texts
from intake.cases.case import Case
from intake.cases.consistency import problems_of
from intake.cases.opening import Opened, open_cases
from intake.cases.reports import Report, read_report
from intake.customers.store import find_key
from intake.desk import Desk
from intake.proposals import Proposer
from intake.reactions import build_reactions
from servicekit.customerkeys import is_sealed, open_text, unseal
from servicekit.database import Database
from servicekit.gathering import Gatherer
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.messaging import Received
from servicekit.sealing import Sealer
from sqlalchemy import text

from servicekit import deadlines
from standards import Standards, load

TIANHE = "cn.gd.gz.tianhe"


def fault_report(**changes: object) -> cases_pb2.OpenCaseRequest:
    """A fault report by app; `phone` and `customer_id` change the caller."""
    request = cases_pb2.OpenCaseRequest(
        channel="app", region=TIANHE, subject="宽带断网", description="光猫红灯，上不了网", language="zh-CN"
    )
    request.caller.phone = "13800138000"
    request.caller.name = "张三"
    request.caller.identity_check = "IDENTITY_CHECK_CALLER_NUMBER"
    for name, value in changes.items():
        setattr(request.caller if name in {"phone", "customer_id"} else request, name, value)
    return request


class Office:
    """Does what the servicer, the consumer and the deadline runner do, without wires between."""

    def __init__(self, database: Database, desk: Desk) -> None:
        self.database = database
        self.desk = desk
        self.reactions = build_reactions(desk)
        self.gatherer = Gatherer[Report, Opened](database, "open_case", lambda tx, many: open_cases(tx, desk, many))

    async def open(self, request: cases_pb2.OpenCaseRequest, principal: Principal) -> Opened:
        report = read_report(
            request,
            principal,
            "zh-CN",
            report_id=uuid7(),
            traceparent="",
            standards=self.desk.standards,
            proposer=self.desk.proposer,
        )
        return await self.gatherer.submit(report)

    async def change(self, use_case: Callable[..., Awaitable[Case]], principal: Principal, request: Message) -> Case:
        return await self.database.run("change", lambda tx: use_case(tx, self.desk, principal, request))

    async def assess(self, case: Case, principal: Principal, *, needs_visit: bool) -> Case:
        request = cases_pb2.AssessCaseRequest(case=str(case.case_id), needs_visit=needs_visit)
        request.classification.kind = case.kind
        request.classification.category = case.category
        request.classification.urgency = case.urgency
        return await self.change(assessing.assess_case, principal, request)

    async def tell(self, event: Message, *, version: int = 1) -> None:
        """An event of another service arrives."""
        reaction = self.reactions.find(event.DESCRIPTOR.full_name)
        assert reaction is not None
        async with self.database.transaction("reaction") as tx:
            received = Received(uuid4(), reaction.filter, version, event.case_id, tx.now, 1)
            await reaction.handle(tx, event, received)

    async def tell_assigned(self, case: Case, engineer: str, *, version: int = 1) -> None:
        await self.tell(
            dispatch_events.WorkOrderAssigned(
                **self.ids(case),
                engineer_id=engineer,
                engineer_name="陈工",
                engineer_user_id=f"user-{engineer}",
                assigned_by="dispatch",
            ),
            version=version,
        )

    async def tell_completed(self, case: Case, engineer: str, finished_at: datetime, *, version: int = 3) -> None:
        event = dispatch_events.WorkOrderCompleted(**self.ids(case), engineer_id=engineer)
        event.report.found, event.report.done = "光猫损坏", "更换光猫"
        event.finished_at.FromDatetime(finished_at)
        await self.tell(event, version=version)

    async def case(self, case_id: UUID) -> Case:
        async with self.database.transaction("look") as tx:
            return await store.find(tx, str(case_id))

    async def result(self, case: Case) -> str:
        """The result that the case has now, in clear; that it has one is kept only sealed."""
        async with self.database.transaction("look") as tx:
            found = await store.find(tx, str(case.case_id))
            assert not found.result or is_sealed(found.result)
            return open_text(self.desk.sealer, await find_key(tx, found.customer_id), found.result)

    async def history(self, case: Case) -> list[str]:
        async with self.database.transaction("look") as tx:
            return [entry.happened for entry in await queries.history_of(tx, case)]

    async def contacts(self, case: Case) -> list[str]:
        """What the customer was told of our own accord, newest last."""
        async with self.database.transaction("contacts") as tx:
            key = await find_key(tx, case.customer_id)
            kept = [text for text in await texts.of(tx, case) if text.role == texts.INTERACTION and not text.inbound]
        return [unseal(self.desk.sealer, key, text.sealed) for text in kept]

    async def clocks(self, case: Case) -> dict[str, str]:
        """The newest state of each clock."""
        async with self.database.transaction("look") as tx:
            statement = "SELECT clock, state FROM deadlines WHERE subject_id = :id ORDER BY id"
            rows = await tx.execute(text(statement), {"id": str(case.case_id)})
            return {row.clock: row.state for row in rows}

    async def problems(self, case: Case) -> list[str]:
        """What the loop check would find."""
        async with self.database.transaction("look") as tx:
            clocks = await deadlines.of(tx, [str(case.case_id)])
            return problems_of(await store.find(tx, str(case.case_id)), clocks[str(case.case_id)])

    async def sent(self, kind: type[Message]) -> list[Any]:
        """What went into the outbox, of one kind."""
        async with self.database.transaction("look") as tx:
            statement = text("SELECT body FROM outbox WHERE headers ->> 'ce-type' = :kind ORDER BY id")
            bodies = (await tx.execute(statement, {"kind": kind.DESCRIPTOR.full_name})).scalars()
            return [Parse(body, kind()) for body in bodies]

    @staticmethod
    def ids(case: Case) -> dict[str, str]:
        """The fields by which an event of dispatch names its work order."""
        return {"case_id": str(case.case_id), "work_order_id": str(case.work_order_id)}


@pytest.fixture(scope="session")
def standards() -> Standards:
    return load()


@pytest.fixture
def desk(standards: Standards) -> Desk:
    return Desk(standards, Sealer(base64.b64decode("A" * 43 + "=")), Proposer(standards))


@pytest.fixture
def agent() -> Principal:
    return Principal("agent.gz", frozenset({"agent"}), "cn.gd.gz")


@pytest.fixture
def supervisor() -> Principal:
    return Principal("supervisor.gz", frozenset({"supervisor"}), "cn.gd.gz")


@pytest.fixture
def app() -> Principal:
    """A channel that acts for customers of the whole country."""
    return Principal("app", frozenset({"channel"}), "cn")


@pytest.fixture
def office(database: Database, desk: Desk) -> Office:
    return Office(database, desk)


@pytest.fixture
def replica(database: Database, desk: Desk) -> Office:
    """A second process of the service, on the same database."""
    return Office(database, desk)


@pytest.fixture
def a_request() -> Callable[..., cases_pb2.OpenCaseRequest]:
    return fault_report

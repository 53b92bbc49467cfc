"""Complaints' own database for its tests, and an office to work in."""

from uuid import uuid4

import pytest
from bihuan.complaints.v1 import requests_pb2
from complaints.complaints import answering, closing, handling, learning, queries, store
from complaints.complaints.complaint import Complaint
from complaints.complaints.registering import register_complaint
from complaints.desk import Desk
from complaints.facts import entity_facts
from complaints.proposals import Proposer
from servicekit.clock import ManualClock
from servicekit.database import Database
from servicekit.database.tables import outbox
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.sealing import Sealer
from sqlalchemy import select

from standards import load

HANDLER = Principal("handler", frozenset({"complaint_handler"}), "cn")
LEADER = Principal("leader", frozenset({"supervisor"}), "cn")
AGENT = Principal("agent", frozenset({"agent"}), "cn.gd")


@pytest.fixture
def desk() -> Desk:
    standards = load()
    return Desk(standards, Sealer(b"k" * 32), Proposer(standards))


class Office:
    """What tests do in complaints, each in a transaction of its own as the service would."""

    def __init__(self, database: Database, clock: ManualClock, desk: Desk) -> None:
        self.database = database
        self.clock = clock
        self.desk = desk

    async def register(self, subject="宽带反复断网", principal=AGENT, **said) -> Complaint:
        request = requests_pb2.RegisterComplaintRequest(
            **{
                "customer_id": str(uuid4()),
                "channel": "web",
                "region": "cn.gd.gz",
                "category": "internet_access",
                "subject": subject,
                **said,
            }
        )
        async with self.database.transaction("register") as tx:
            return await register_complaint(tx, self.desk, principal, request, "zh-CN")

    async def do(self, use_case, complaint: Complaint, principal=HANDLER, request=None, **said) -> Complaint:
        """One of the use cases, with the request that it takes."""
        kind = use_case.__annotations__["request"]
        wanted = kind(complaint=str(complaint.complaint_id), **said)
        async with self.database.transaction(use_case.__name__) as tx:
            return await use_case(tx, self.desk, principal, wanted)

    async def refused(self, code: str, use_case, complaint: Complaint, principal=HANDLER, **said) -> None:
        with pytest.raises(Fault) as refusal:
            await self.do(use_case, complaint, principal, **said)
        assert refusal.value.code == code

    async def handling(self, complaint_class="technical_problem", severity="medium") -> Complaint:
        """A complaint that is being handled."""
        complaint = await self.register()
        await self.do(handling.classify_complaint, complaint, complaint_class=complaint_class, severity=severity)
        return await self.do(handling.start_complaint, complaint)

    async def settled(self) -> Complaint:
        """A complaint whose result the customer accepted."""
        complaint = await self.handling()
        await self.do(handling.resolve_complaint, complaint, result="已修复")
        await self.do(answering.feed_back_result, complaint)
        return await self.do(answering.answer_result, complaint, answer="RESULT_ANSWER_ACCEPTED", score=5)

    async def improved(self, complaint: Complaint) -> None:
        """With its cause, and an improvement that proved itself."""
        await self.do(learning.analyse_cause, complaint, cause="line_ageing", whys=["为什么？"])
        plan = requests_pb2.PlanImprovementRequest(
            complaint=str(complaint.complaint_id),
            action="巡检",
            owner="q",
            indicator="satisfaction",
            baseline=88,
            goal=92,
        )
        plan.due_at.FromSeconds(int(self.clock.now().timestamp()) + 86_400)
        async with self.database.transaction("plan") as tx:
            await learning.plan_improvement(tx, self.desk, HANDLER, plan)
        (improvement,) = (await self.shown(complaint)).improvements
        step = {"improvement_id": improvement.improvement_id}
        await self.do(learning.report_improvement, complaint, done="已巡检", **step)
        await self.do(learning.verify_improvement, complaint, LEADER, measured=93, **step)
        await self.do(
            learning.standardise_improvement, complaint, LEADER, standardised_as="process", note="写入流程", **step
        )

    async def closed(self) -> Complaint:
        complaint = await self.settled()
        await self.improved(complaint)
        return await self.do(closing.close_complaint, complaint, summary="线路老化，已列入巡检。")

    async def look(self, complaint: Complaint) -> Complaint:
        async with self.database.transaction("look") as tx:
            return await store.find(tx, str(complaint.complaint_id))

    async def shown(self, complaint: Complaint, principal=HANDLER):
        async with self.database.transaction("show") as tx:
            return await queries.show(tx, self.desk, principal, await store.find(tx, str(complaint.complaint_id)))

    async def sent(self, subject_part: str) -> list[str]:
        """Bodies in the outbox whose subject holds this, oldest first."""
        statement = select(outbox.c.body).where(outbox.c.subject.contains(subject_part)).order_by(outbox.c.id)
        async with self.database.transaction("sent") as tx:
            return [body.decode() for body in (await tx.execute(statement)).scalars()]

    async def problems(self) -> list[str]:
        """What the loop check would find wrong."""
        async with self.database.transaction("facts") as tx:
            facts = await entity_facts(tx, "", 5000)
        return [problem for fact in facts for problem in fact.problems]


@pytest.fixture
def office(database: Database, manual_clock: ManualClock, desk: Desk) -> Office:
    return Office(database, manual_clock, desk)

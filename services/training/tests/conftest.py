"""Training's own database for its tests, and a school to fill it with."""

from datetime import timedelta
from uuid import UUID

import pytest
from servicekit.clock import ManualClock
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.database.tables import outbox
from servicekit.deadlines.firing import Firing
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import select
from training.assignments import commands as assignments
from training.assignments import store as assignment_store
from training.certificates import commands as certificates
from training.certificates import queries as certificate_queries
from training.certificates.signing import CertificateSigner
from training.clocks import build_clocks
from training.courses import commands as courses
from training.courses.course import CourseContent
from training.exams import planning, queries, results, sitting
from training.exams.paper import Response, Section
from training.facts import entity_facts
from training.policy import Policy
from training.question_banks import commands as question_banks
from training.question_banks.question import Kind

from standards import load

TRAINER = Principal("trainer", frozenset({"trainer"}), "cn")
LI = Principal("li", frozenset({"engineer"}), "cn.gd")
UNITS = ["Safety", "Splicing"]
GIFT = """
::safe::Look into the fibre? {~Yes =No}

::loss::Loss of a good splice in dB? {#0.05:0.05}
"""
NO_KEY = CreationKey("", b"")


class School:
    """What tests do in training, each in a transaction of its own as the service would."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.policy = Policy.of(load())
        self.signer = CertificateSigner(bytes(range(32)), "http://gateway.test")

    async def do(self, use_case, *arguments, **keywords):
        async with self.database.transaction("do") as tx:
            return await use_case(tx, *arguments, **keywords)

    async def refused(self, code: str, use_case, *arguments, **keywords) -> Fault:
        """`do`, which must be refused with this code."""
        with pytest.raises(Fault) as refusal:
            await self.do(use_case, *arguments, **keywords)
        assert refusal.value.code == code
        return refusal.value

    async def course(self, topic="network_technology", ways=("self_study",), **content) -> UUID:
        facts = {"title": "Splicing", "post": "engineer", "level": "junior", "units": UNITS, **content}
        written = CourseContent(topic=topic, ways=list(ways), **facts)
        return (
            await self.do(courses.create_course, written, key=NO_KEY, principal=TRAINER, policy=self.policy)
        ).course_id

    async def bank(self, gift: str = GIFT) -> UUID:
        bank = await self.do(
            question_banks.create_bank,
            name="Fibre",
            topic="network_technology",
            key=NO_KEY,
            principal=TRAINER,
            policy=self.policy,
        )
        await self.do(question_banks.import_questions, bank.bank_id, gift, expected_version=0)
        return bank.bank_id

    async def exam(self, course_id: UUID, *, sections=None, gift=GIFT, skill="fiber_splicing", **facts) -> UUID:
        usual = [Section(kind=Kind.SINGLE, count=1, points=5), Section(kind=Kind.NUMERIC, count=1, points=5)]
        planned = {
            "title": "Splicing",
            "time_limit_minutes": 30,
            "pass_percent": 80,
            "level": "junior",
            "certificate_days": 365,
            **facts,
        }
        exam = await self.do(
            planning.create_exam,
            course_id=course_id,
            bank_id=await self.bank(gift),
            blueprint=usual if sections is None else sections,
            skill=skill,
            key=NO_KEY,
            principal=TRAINER,
            policy=self.policy,
            **planned,
        )
        return exam.exam_id

    async def assign(self, course_id: UUID, person="li", **facts) -> UUID:
        usual = {"reason": "plan", "due_at": None, "key": NO_KEY, **facts}
        assignment = await self.do(
            assignments.assign_course,
            course_id=course_id,
            person=person,
            principal=TRAINER,
            policy=self.policy,
            **usual,
        )
        return assignment.assignment_id

    async def learn(self, assignment_id: UUID, units=tuple(UNITS), principal=LI):
        return await self.do(assignments.record_progress, assignment_id, units, expected_version=0, principal=principal)

    async def assignment(self, assignment_id: UUID):
        return await self.do(assignment_store.find, assignment_id)

    async def ready(self, **exam) -> tuple[UUID, UUID]:
        """Li has learned a course and may take its exam; returns exam and assignment."""
        course_id = await self.course()
        exam_id = await self.exam(course_id, **exam)
        assignment_id = await self.assign(course_id)
        await self.learn(assignment_id)
        return exam_id, assignment_id

    async def start(self, exam_id: UUID, principal=LI):
        return await self.do(sitting.start_attempt, exam_id, principal=principal, policy=self.policy)

    async def paper(self, attempt_id: UUID):
        return (await self.do(queries.get_attempt, attempt_id, LI)).questions

    async def attempt(self, attempt_id: UUID):
        return (await self.do(queries.get_attempt, attempt_id, LI)).attempt

    async def save(self, attempt_id: UUID, position: int, response: Response, expected_version=0, principal=LI):
        return await self.do(
            sitting.save_answer,
            attempt_id,
            position,
            response,
            expected_version=expected_version,
            principal=principal,
        )

    async def answer(self, attempt_id: UUID, *, right=True) -> None:
        """Saves an answer to each question of the usual paper."""
        for asked in await self.paper(attempt_id):
            if asked.question.kind == Kind.SINGLE:
                response = Response(chosen=(asked.choices.index("No" if right else "Yes") + 1,))
            else:
                response = Response(number=0.03 if right else 3)
            await self.save(attempt_id, asked.position, response)

    async def submit(self, attempt_id: UUID, principal=LI):
        return await self.do(
            sitting.submit_attempt, attempt_id, expected_version=0, principal=principal, signer=self.signer
        )

    async def mark(self, attempt_id: UUID, position: int, points: float, principal):
        return await self.do(
            results.mark_answer,
            attempt_id,
            position,
            points=points,
            comment="",
            principal=principal,
            policy=self.policy,
            signer=self.signer,
        )

    async def certify(self, **exam):
        """Li's certificate after the whole way."""
        exam_id, _ = await self.ready(**exam)
        attempt_id = (await self.start(exam_id)).attempt_id
        await self.answer(attempt_id)
        return await self.certificate((await self.submit(attempt_id)).certificate_number)

    async def certificate(self, number: str):
        return await self.do(certificate_queries.find_certificate, number)

    async def revoke(self, number: str, expected_version=0):
        return await self.do(
            certificates.revoke_certificate, number, reason="cheated", expected_version=expected_version
        )

    async def pass_time(self, time: timedelta) -> None:
        """Moves the clock on and acts on every mark that has come."""
        self.clock.advance(time)
        firing = Firing(self.database, build_clocks(self.signer))
        while await firing.fire_due():
            pass

    async def events(self, part: str) -> list[str]:
        """Bodies of the events in the outbox whose subject holds this, oldest first."""
        statement = select(outbox.c.body).where(outbox.c.subject.contains(part)).order_by(outbox.c.id)
        async with self.database.transaction("events") as tx:
            return [body.decode() for body in (await tx.execute(statement)).scalars()]

    async def facts(self):
        """What the loop check is told, page by page."""
        found, after = [], ""
        while page := await self.do(entity_facts, after, 2):
            found += page
            after = page[-1].entity_id
        return found

    async def problems(self) -> list[str]:
        return [problem for fact in await self.facts() for problem in fact.problems]


@pytest.fixture
def school(database: Database, manual_clock: ManualClock) -> School:
    return School(database, manual_clock)

"""ExamService (TRN-04)."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.training.v1 import exams_pb2, exams_pb2_grpc
from bihuan.training.v1.question_banks_pb2 import QuestionKind
from servicekit.creation import CreationKey
from servicekit.database import Database, UnitOfWork
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from training.certificates.signing import CertificateSigner
from training.exams import planning, queries, results, sitting
from training.exams.attempt import Attempt, State
from training.exams.paper import Section
from training.policy import Policy
from training.question_banks.question import Kind
from training.rpc.messages import (
    KIND,
    attempt_message,
    exam_message,
    paper_message,
    response_of,
    state_of,
)

DEFAULT_PAGE = 50
EXAMS = "exams"
ATTEMPTS = "exam_attempts"

Context = grpc.aio.ServicerContext[Any, Any]


class ExamServicer(exams_pb2_grpc.ExamServiceServicer):
    def __init__(self, database: Database, policy: Policy, signer: CertificateSigner) -> None:
        self._database = database
        self._policy = policy
        self._signer = signer

    async def CreateExam(self, request: exams_pb2.CreateExamRequest, context: Context) -> exams_pb2.Exam:
        principal = caller(context)
        exam = await self._database.run(
            "create_exam",
            lambda tx: planning.create_exam(
                tx,
                title=request.title,
                course_id=UUID(request.course_id),
                bank_id=UUID(request.bank_id),
                blueprint=[_section_of(section) for section in request.blueprint],
                time_limit_minutes=request.time_limit_minutes,
                pass_percent=request.pass_percent,
                skill=request.skill,
                level=request.level,
                certificate_days=request.certificate_days,
                key=CreationKey.of(request),
                principal=principal,
                policy=self._policy,
            ),
        )
        return exam_message(exam)

    async def GetExam(self, request: exams_pb2.GetExamRequest, _context: Context) -> exams_pb2.Exam:
        async with self._database.transaction("get_exam") as tx:
            return exam_message(await queries.get_exam(tx, UUID(request.exam_id)))

    async def ListExams(self, request: exams_pb2.ListExamsRequest, _context: Context) -> exams_pb2.ListExamsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(EXAMS, request), request.page_token)
        async with self._database.transaction("list_exams") as tx:
            found = await queries.list_exams(
                tx,
                course_id=UUID(request.course_id) if request.course_id else None,
                after=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(EXAMS, request), page[-1].exam_id) if len(found) > size else ""
        return exams_pb2.ListExamsResponse(exams=[exam_message(exam) for exam in page], next_page_token=more)

    async def StartAttempt(self, request: exams_pb2.StartAttemptRequest, context: Context) -> exams_pb2.Attempt:
        principal = caller(context)
        return await self._change(
            "start_attempt",
            lambda tx: sitting.start_attempt(tx, UUID(request.exam_id), principal=principal, policy=self._policy),
        )

    async def GetAttempt(self, request: exams_pb2.GetAttemptRequest, context: Context) -> exams_pb2.Attempt:
        async with self._database.transaction("get_attempt") as tx:
            return _whole(await queries.get_attempt(tx, UUID(request.attempt_id), caller(context)))

    async def ListAttempts(
        self, request: exams_pb2.ListAttemptsRequest, context: Context
    ) -> exams_pb2.ListAttemptsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(ATTEMPTS, request), request.page_token)
        async with self._database.transaction("list_attempts") as tx:
            found = await queries.list_attempts(
                tx,
                caller(context),
                person=request.person,
                exam_id=UUID(request.exam_id) if request.exam_id else None,
                state=state_of(State, exams_pb2.AttemptState, request.state),
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(ATTEMPTS, request), page[-1].attempt_id) if len(found) > size else ""
        return exams_pb2.ListAttemptsResponse(
            attempts=[attempt_message(attempt) for attempt in page], next_page_token=more
        )

    async def SaveAnswer(self, request: exams_pb2.SaveAnswerRequest, context: Context) -> exams_pb2.SavedAnswer:
        principal = caller(context)
        saved = await self._database.run(
            "save_answer",
            lambda tx: sitting.save_answer(
                tx,
                UUID(request.attempt_id),
                request.position,
                response_of(request.response),
                expected_version=request.expected_version,
                principal=principal,
            ),
        )
        return exams_pb2.SavedAnswer(position=saved.position, version=saved.response_version, saved_at=saved.saved_at)

    async def SubmitAttempt(self, request: exams_pb2.SubmitAttemptRequest, context: Context) -> exams_pb2.Attempt:
        principal = caller(context)
        return await self._change(
            "submit_attempt",
            lambda tx: sitting.submit_attempt(
                tx,
                UUID(request.attempt_id),
                expected_version=request.expected_version,
                principal=principal,
                signer=self._signer,
            ),
        )

    async def MarkAnswer(self, request: exams_pb2.MarkAnswerRequest, context: Context) -> exams_pb2.Attempt:
        principal = caller(context)
        return await self._change(
            "mark_answer",
            lambda tx: results.mark_answer(
                tx,
                UUID(request.attempt_id),
                request.position,
                points=request.points,
                comment=request.comment,
                principal=principal,
                policy=self._policy,
                signer=self._signer,
            ),
        )

    async def _change(self, name: str, use_case: Callable[[UnitOfWork], Awaitable[Attempt]]) -> exams_pb2.Attempt:
        """Runs the use case in a transaction of its own, and shows the attempt as it is then."""

        async def change(tx: UnitOfWork) -> queries.View:
            return await queries.describe(tx, await use_case(tx))

        return _whole(await self._database.run(name, change))


def _section_of(message: exams_pb2.BlueprintSection) -> Section:
    kind = Kind(QuestionKind.Name(message.kind).removeprefix(KIND).lower())
    return Section(kind=kind, category=message.category, count=message.count, points=message.points)


def _whole(view: queries.View) -> exams_pb2.Attempt:
    message = attempt_message(view.attempt)
    message.questions.extend(paper_message(view.attempt, asked) for asked in view.questions)
    message.clocks.extend(view.clocks)
    return message

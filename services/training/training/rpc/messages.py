"""What training's values look like in the contract, and the other way round. Pure."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from bihuan.training.v1 import assignments_pb2, certificates_pb2, courses_pb2, exams_pb2, question_banks_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from training.assignments import queries as assignments
from training.certificates import queries as certificates
from training.certificates.certificate import Certificate
from training.courses.course import Course, CourseContent
from training.exams.attempt import FINISHED, AnsweredQuestion, Attempt
from training.exams.exam import Exam
from training.exams.paper import Response
from training.question_banks.question import Kind, Question
from training.question_banks.tables import QuestionBank

KIND = "QUESTION_KIND_"
WAY = "LEARNING_WAY_"

StateT = TypeVar("StateT", bound=StrEnum)


def moment_of(request: Message, field: str) -> datetime | None:
    """A moment that need not be given."""
    moment: Timestamp = getattr(request, field)
    return moment.ToDatetime(tzinfo=UTC) if request.HasField(field) else None


def state_of(kind: type[StateT], values: Any, value: int) -> StateT | None:
    """Our word for a value of the contract's enum `values`; None for UNSPECIFIED."""
    if not value:
        return None
    prefix = values.Name(0).removesuffix("UNSPECIFIED")
    return kind(values.Name(value).removeprefix(prefix).lower())


def course_content_of(message: courses_pb2.CourseContent) -> CourseContent:
    return CourseContent(
        title=message.title,
        topic=message.topic,
        post=message.post,
        level=message.level,
        ways=[courses_pb2.LearningWay.Name(way).removeprefix(WAY).lower() for way in message.ways],
        units=list(message.units),
        valid_until=moment_of(message, "valid_until"),
    )


def course_message(course: Course) -> courses_pb2.Course:
    content = courses_pb2.CourseContent(
        title=course.title,
        topic=course.topic,
        post=course.post,
        level=course.level,
        ways=[WAY + way.upper() for way in course.ways],
        units=course.units,
        valid_until=course.valid_until,
    )
    return courses_pb2.Course(
        course_id=str(course.course_id),
        version=course.version,
        content=content,
        owner=course.owner,
        valid_from=course.valid_from,
        superseded=course.superseded,
    )


def assignment_message(view: assignments.View) -> assignments_pb2.Assignment:
    assignment = view.assignment
    entries = [{**entry, "way": WAY + entry["way"].upper()} for entry in assignment.attendance]
    return assignments_pb2.Assignment(
        assignment_id=str(assignment.assignment_id),
        version=assignment.version,
        state=f"ASSIGNMENT_STATE_{assignment.state.upper()}",
        person=assignment.person,
        course_topic=assignment.course_topic,
        course_id=str(assignment.course_id or ""),
        course_version=assignment.course_version,
        reason=assignment.reason,
        source_id=assignment.source_id,
        assigned_by=assignment.assigned_by,
        owner=assignment.owner,
        assigned_at=assignment.assigned_at,
        due_at=assignment.due_at,
        units_learned=assignment.units_learned,
        progress_percent=assignment.progress_percent,
        attendance=[ParseDict(entry, assignments_pb2.Attendance()) for entry in entries],
        learned_at=assignment.learned_at,
        completed_at=assignment.completed_at,
        clocks=view.clocks,
    )


def attendance_of(message: assignments_pb2.Attendance) -> dict[str, Any]:
    """What a trainer says; when and by whom is added where it is stored."""
    way = courses_pb2.LearningWay.Name(message.way).removeprefix(WAY).lower()
    return {"session": message.session, "way": way, "attended": message.attended}


def bank_message(bank: QuestionBank) -> question_banks_pb2.QuestionBank:
    return question_banks_pb2.QuestionBank(
        bank_id=str(bank.bank_id),
        version=bank.version,
        name=bank.name,
        topic=bank.topic,
        question_count=bank.question_count,
        created_at=bank.created_at,
    )


def question_message(question_id: str, question: Question) -> question_banks_pb2.Question:
    fields = question.model_dump() | {"question_id": question_id, "kind": kind_name(question.kind)}
    return ParseDict(fields, question_banks_pb2.Question())


def kind_name(kind: Kind) -> str:
    """The contract's name of a kind."""
    return KIND + kind.upper()


def exam_message(exam: Exam) -> exams_pb2.Exam:
    return exams_pb2.Exam(
        exam_id=str(exam.exam_id),
        title=exam.title,
        course_id=str(exam.course_id),
        bank_id=str(exam.bank_id),
        blueprint=[
            exams_pb2.BlueprintSection(
                kind=kind_name(section.kind), category=section.category, count=section.count, points=section.points
            )
            for section in exam.sections
        ],
        time_limit_minutes=exam.time_limit_minutes,
        pass_percent=exam.pass_percent,
        skill=exam.skill,
        level=exam.level,
        certificate_days=exam.certificate_days,
        owner=exam.owner,
        created_at=exam.created_at,
    )


def attempt_message(attempt: Attempt) -> exams_pb2.Attempt:
    """Without its paper."""
    return exams_pb2.Attempt(
        attempt_id=str(attempt.attempt_id),
        version=attempt.version,
        state=f"ATTEMPT_STATE_{attempt.state.upper()}",
        exam_id=str(attempt.exam_id),
        assignment_id=str(attempt.assignment_id),
        person=attempt.person,
        number=attempt.number,
        started_at=attempt.started_at,
        due_at=attempt.due_at,
        submitted_at=attempt.submitted_at,
        time_ran_out=attempt.time_ran_out,
        marked_at=attempt.marked_at,
        score=attempt.score,
        points=attempt.points,
        percent=attempt.percent,
        certificate_number=attempt.certificate_number,
    )


def paper_message(attempt: Attempt, asked: AnsweredQuestion) -> exams_pb2.PaperQuestion:
    """A question as the candidate sees it: never with its key, and with its score only once all is marked."""
    question = asked.question
    return exams_pb2.PaperQuestion(
        position=asked.position,
        kind=kind_name(question.kind),
        text=question.text,
        text_format=question.text_format,
        points=asked.points,
        choices=asked.choices,
        prompts=[pair.prompt for pair in question.prompts],
        response=None if asked.response is None else _response_message(asked.response),
        response_version=asked.response_version,
        score=asked.score if attempt.state in FINISHED else None,
    )


def response_of(message: exams_pb2.Response) -> Response:
    return Response(
        chosen=tuple(message.chosen),
        truth=message.truth if message.HasField("truth") else None,
        number=message.number if message.HasField("number") else None,
        text=message.text,
    )


def _response_message(response: Response) -> exams_pb2.Response:
    return exams_pb2.Response(chosen=response.chosen, truth=response.truth, number=response.number, text=response.text)


def certificate_message(view: certificates.View) -> certificates_pb2.Certificate:
    certificate = view.certificate
    return certificates_pb2.Certificate(
        certificate_id=str(certificate.certificate_id),
        number=certificate.number,
        version=certificate.version,
        state=certificate_state(certificate),
        person=certificate.person,
        skill=certificate.skill,
        level=certificate.level,
        issued_at=certificate.issued_at,
        valid_until=certificate.valid_until,
        exam_id=str(certificate.exam_id),
        attempt_id=str(certificate.attempt_id),
        signed=certificate.signed,
        revoked_reason=certificate.revoked_reason,
        clocks=view.clocks,
    )


def verification_message(certificate: Certificate, now: datetime) -> certificates_pb2.CertificateVerification:
    """What an outsider may know; why it was revoked is not among it."""
    return certificates_pb2.CertificateVerification(
        number=certificate.number,
        valid=certificate.is_valid(now),
        state=certificate_state(certificate),
        person=certificate.person,
        skill=certificate.skill,
        level=certificate.level,
        issued_at=certificate.issued_at,
        valid_until=certificate.valid_until,
        signed=certificate.signed,
    )


def certificate_state(certificate: Certificate) -> str:
    """The contract's name of its state."""
    return f"CERTIFICATE_STATE_{certificate.state.upper()}"

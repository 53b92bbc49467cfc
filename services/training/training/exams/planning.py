"""Planning an exam: one use case in one transaction (TRN-04)."""

from collections.abc import Sequence
from random import Random
from uuid import UUID

from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from sqlalchemy import insert

from training.courses.queries import get_course
from training.exams.exam import Exam
from training.exams.paper import Section, draw_paper
from training.exams.queries import get_exam
from training.exams.tables import EXAMS
from training.policy import Policy
from training.question_banks.queries import get_bank, list_questions


async def create_exam(
    tx: UnitOfWork,
    *,
    title: str,
    course_id: UUID,
    bank_id: UUID,
    blueprint: Sequence[Section],
    time_limit_minutes: int,
    pass_percent: int,
    skill: str,
    level: str,
    certificate_days: int,
    key: CreationKey,
    principal: Principal,
    policy: Policy,
) -> Exam:
    """An exam on a course. A limit of 0 is the standards'. The same key gives the same exam again.

    Raises Fault course_unknown, bank_unknown, skill_unknown, level_unknown, or bank_too_small for a blueprint that no
    paper could be drawn by.
    """
    if skill:
        policy.require_skill(skill, "skill")
        policy.require_level(level, "level")
    exam_id, is_new = await claim_id(tx, "create_exam", key, principal)
    if not is_new:
        return await get_exam(tx, exam_id)
    await get_course(tx, course_id)
    await get_bank(tx, bank_id)
    draw_paper(blueprint, await list_questions(tx, bank_id), Random(0))  # noqa: S311 -- only whether it can be done
    exam = Exam(
        exam_id=exam_id,
        title=title,
        course_id=course_id,
        bank_id=bank_id,
        blueprint=[section.model_dump(mode="json") for section in blueprint],
        time_limit_minutes=time_limit_minutes or int(policy.exam_time.total_seconds() // 60),
        pass_percent=pass_percent or policy.pass_percent,
        skill=skill,
        level=level if skill else "",
        certificate_days=certificate_days or policy.certificate_validity.days,
        owner=principal.user_id,
        created_at=tx.now,
    )
    await tx.execute(insert(EXAMS), exam.model_dump())
    return exam

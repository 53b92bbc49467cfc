"""The satisfaction survey: sent with the result, answered once, and what a low score sets off (INT-12)."""

from bihuan.intake.v1 import cases_pb2
from servicekit.database import UnitOfWork
from servicekit.identity import Principal

from intake.cases import care, texts
from intake.cases.case import Case
from intake.cases.changes import put_back, take_in_hand
from intake.cases.texts import Text
from intake.desk import Desk


async def answer_survey(
    tx: UnitOfWork, desk: Desk, principal: Principal, request: cases_pb2.AnswerSurveyRequest
) -> Case:
    """Keeps the one valid answer of the case. After a low score only a supervisor's follow-up closes it.

    Raises Fault("survey_already_answered"), and Fault("transition_forbidden") before the result is delivered and once
    the case is closed: the record that is filed says what was answered.
    """
    case = await take_in_hand(tx, principal, request.case)
    steps = [care.answer_survey(case, score=request.score, channel=case.channel)]
    if request.score <= desk.standards.thresholds["low_score"].value:
        steps.append(care.note_low_score(steps[0].after))
    comment = Text(role=texts.SURVEY_COMMENT, text=request.comment, author=principal.actor, inbound=True)
    return await put_back(tx, desk, case, *steps, actor=principal.actor, words=comment)

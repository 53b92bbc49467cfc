"""The satisfaction survey by keys 1 to 5, one valid answer a case (INT-12)."""

from __future__ import annotations

from typing import Final

from bihuan.intake.v1 import cases_pb2
from servicekit.errors import Fault

from gateway.hotline.call import Call, again
from gateway.hotline.pages import Ask
from gateway.hotline.state import State
from gateway.hotline.steps.choices import USUAL_KEYS
from gateway.hotline.wording import number

_ANSWERABLE: Final = frozenset({cases_pb2.CASE_STAGE_DELIVERED, cases_pb2.CASE_STAGE_CONFIRMED})
_SCORES: Final = ("1", "2", "3", "4", "5")
# What the caller is told when the answer comes too late.
_TOO_LATE: Final = {"survey_already_answered": "survey.counted", "transition_forbidden": "survey.none"}


async def begin(call: Call) -> State:
    """Asks about the newest case whose result was delivered and that nobody has rated."""
    state = call.state
    cases = await call.intake.newest_cases(state.customer_id) if state.is_known else ()
    for case in cases:
        if case.stage in _ANSWERABLE and not case.satisfaction:
            return state.to("survey", case=case.case_number)
    return state.to("menu", notice="survey.none")


class SurveyStep:
    async def ask(self, call: Call) -> Ask:
        case = await call.intake.case(call.state.case)
        said = call.line("survey.ask", number=number(case.case_number), subject=case.subject)
        return call.ask(said, keys=(*_SCORES, *USUAL_KEYS))

    async def answer(self, call: Call, key: str) -> State:
        if key not in _SCORES:
            return again(call.state, "mismatch")
        try:
            await call.intake.answer_survey(call.state.case, int(key))
        except Fault as fault:
            if fault.code not in _TOO_LATE:
                raise
            return call.state.to("menu", notice=_TOO_LATE[fault.code])
        return call.state.to("menu", notice="survey.thanks")

"""The way through a call: from each place, and what was heard there, to the next page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.hotline.call import Call, Step, to_agent
from gateway.hotline.intake import Intake
from gateway.hotline.pages import AGENT, BACK, REPEAT, UNANSWERED
from gateway.hotline.state import State, StepName
from gateway.hotline.steps.agent import AgentStep, GoodbyeStep
from gateway.hotline.steps.menu import CustomerStep, LanguageStep, MenuStep
from gateway.hotline.steps.progress import NumberStep, ProgressStep, ToldStep
from gateway.hotline.steps.report import (
    AreaStep,
    CategoryStep,
    ConfirmStep,
    ConsentStep,
    OpenedStep,
    SymptomStep,
)
from gateway.hotline.steps.survey import SurveyStep

STEPS: Final[Mapping[StepName, Step]] = {
    "language": LanguageStep(),
    "customer": CustomerStep(),
    "menu": MenuStep(),
    "consent": ConsentStep(),
    "category": CategoryStep(),
    "symptom": SymptomStep(),
    "area": AreaStep(),
    "confirm": ConfirmStep(),
    "opened": OpenedStep(),
    "progress": ProgressStep(),
    "number": NumberStep(),
    "told": ToldStep(),
    "survey": SurveyStep(),
    "agent": AgentStep(),
    "goodbye": GoodbyeStep(),
}
# Why an agent took over without being asked for: what pages report after so many silences or wrong keys.
_REASONS: Final = frozenset({"silence", "mismatch"})


async def recognise(call: str, phone: str, intake: Intake) -> State:
    """The state that a call begins with: whoever has this number on file, if anybody has."""
    customers = await intake.find_customers(phone) if phone else ()
    if len(customers) == 1:
        return State(call=call, phone=phone, customer_id=customers[0].customer_id, region=customers[0].region)
    return State(call=call, phone=phone, shared=bool(customers))


async def after_key(call: Call, key: str) -> State:
    """Where the call goes on after a key. Star, 9 and 0 mean the same everywhere."""
    state = call.state
    if key == REPEAT:
        return state
    if key == AGENT:
        return to_agent(state, "key")
    # Before the caller is known by language and name there is no menu to go back to.
    if key == BACK and state.step not in {"language", "customer"}:
        return state.to("menu")
    return await STEPS[state.step].answer(call, key)


def after_silence(state: State, reason: str) -> State:
    """A page gave up waiting for a key that it can use."""
    return to_agent(state, reason if reason in _REASONS else "mismatch")


def after_transfer(state: State, outcome: str) -> State:
    """The caller spoke with an agent, or did not reach one."""
    return state.to("agent", unanswered=True) if outcome in UNANSWERED else state.to("goodbye")

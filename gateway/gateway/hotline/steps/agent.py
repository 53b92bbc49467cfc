"""An agent: put through in shop hours with what the call was about, else called back (INT-08)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from bihuan.intake.v1 import cases_pb2
from servicekit.errors import Fault

from gateway.hotline.call import Call
from gateway.hotline.pages import Connect, Farewell, Page
from gateway.hotline.state import State
from gateway.hotline.wording import Line, hour, number

# A case that asks for a call is nothing that broke, and no service in particular.
_KIND: Final = "inquiry"
_CATEGORY: Final = "personalised"
_ENDED: Final = frozenset({cases_pb2.CASE_STAGE_CLOSED, cases_pb2.CASE_STAGE_ARCHIVED})

log = structlog.get_logger(__name__)


class AgentStep:
    """Puts the caller through, or notes that they want to be called."""

    async def ask(self, call: Call) -> Page:
        if call.agents and not call.state.unanswered:
            return Connect((*call.before, call.line("agent.transfer")), await self._hand_over(call))
        return Farewell((*call.before, *self._why_nobody(call), *await self._call_back(call), call.line("goodbye")))

    async def answer(self, call: Call, key: str) -> State:  # noqa: ARG002 -- nothing is asked here
        return call.state

    @staticmethod
    async def _hand_over(call: Call) -> str:
        """Notes the transfer on the case; gives what the agent is shown. It goes on even when that can't be done."""
        state = call.state
        about = f"reason={state.reason};language={call.language}"
        try:
            case_number = await _open_case_of(call)
            if case_number:
                about += f";case={case_number}"
                await call.intake.add_contact(state, case_number, _note(call, "note.transferred"))
        except Fault as fault:
            log.warning("hotline_hand_over_not_noted", code=fault.code)
        return about

    @staticmethod
    def _why_nobody(call: Call) -> tuple[Line, ...]:
        if call.agents:
            return (call.line("agent.busy"),)
        hours = call.standards.calendars.calendars["shop_hours"].hours
        assert hours is not None, "the standards check that the shop's calendar has hours"
        return (call.line("agent.closed", opens=hour(hours.opens), closes=hour(hours.closes)),)

    @staticmethod
    async def _call_back(call: Call) -> tuple[Line, ...]:
        """The wish to be called goes onto the case, or becomes one: so it has a clock and somebody responsible."""
        state = call.state
        if not state.phone or not (state.is_known or state.consented):
            # Nothing is kept of who has not agreed to it.
            return (call.line("call_again"),)
        note = _note(call, "note.call_back")
        case_number = await _open_case_of(call)
        if case_number:
            await call.intake.add_contact(state, case_number, note)
        else:
            opened = await call.intake.open_case(
                state,
                region=state.region or call.root,
                subject=call.text("note.call_back_subject"),
                description=note,
                kind=_KIND,
                category=_CATEGORY,
            )
            case_number = opened.case.case_number
        return (call.line("agent.call_back", number=number(case_number)),)


class GoodbyeStep:
    """The call is over."""

    async def ask(self, call: Call) -> Page:
        return Farewell((call.line("goodbye"),))

    async def answer(self, call: Call, key: str) -> State:  # noqa: ARG002 -- nothing is asked here
        return call.state


async def _open_case_of(call: Call) -> str:
    """The number of the open case that the call is about: the one that was spoken of, else the caller's newest.

    Not one that was opened since the call began and is not spoken of: this very page may have opened it when it was
    submitted before. Ids of cases and calls grow with real time.
    """
    state = call.state
    if not state.is_known:
        return ""
    cases = [case for case in await call.intake.newest_cases(state.customer_id) if case.stage not in _ENDED]
    if state.case in {case.case_number for case in cases}:
        return state.case
    began = UUID(state.call)
    return next((case.case_number for case in cases if UUID(case.case_id) < began), "")


def _note(call: Call, key: str) -> str:
    return call.text(key, reason=call.text(f"reason.{call.state.reason}"))

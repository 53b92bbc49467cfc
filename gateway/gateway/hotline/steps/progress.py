"""How a case stands (INT-10): the caller's latest, or one by its number; never somebody else's."""

from __future__ import annotations

from typing import Final

from servicekit.errors import Fault

from gateway.hotline.call import Call, again
from gateway.hotline.pages import Ask
from gateway.hotline.state import State
from gateway.hotline.steps.choices import USUAL_KEYS
from gateway.hotline.wording import number, told
from servicekit import casenumbers

# Digits of a case number: year, month, a serial number that may outgrow its seven digits, and the check digit.
_DIGITS: Final = (12, 16)


def begin(call: Call) -> State:
    state = call.state
    return state.to("progress") if state.is_known else state.to("menu", notice="progress.none")


class ProgressStep:
    """The latest case, or another one?"""

    async def ask(self, call: Call) -> Ask:
        return call.ask(call.line("progress.ask"), keys=("1", "2", *USUAL_KEYS))

    async def answer(self, call: Call, key: str) -> State:
        match key:
            case "1":
                cases = await call.intake.newest_cases(call.state.customer_id)
                if not cases:
                    return call.state.to("menu", notice="progress.none")
                return call.state.to("told", case=cases[0].case_number)
            case "2":
                return call.state.to("number")
            case _:
                return again(call.state, "mismatch")


class NumberStep:
    """Which one? A wrong digit is found by the check digit, before anybody is asked."""

    async def ask(self, call: Call) -> Ask:
        return call.ask(call.line("number.ask"), keys=USUAL_KEYS, digits=_DIGITS)

    async def answer(self, call: Call, key: str) -> State:
        try:
            wanted = casenumbers.parse(key)
        except Fault:
            return again(call.state, "number.wrong")
        try:
            case = await call.intake.case(wanted)
        except Fault as fault:
            if fault.code not in {"case_unknown", "domain_forbidden"}:
                raise
            return again(call.state, "number.unknown")
        if case.customer_id != call.state.customer_id:
            # The same words as for a number that does not exist: whether it does is not this caller's business.
            return again(call.state, "number.unknown")
        return call.state.to("told", case=case.case_number)


class ToldStep:
    """Stage, who is responsible, what is promised by when, and what happens next."""

    async def ask(self, call: Call) -> Ask:
        case = await call.intake.case(call.state.case)
        progress = await call.intake.progress(call.state.case)
        said = call.line(
            "progress.told",
            number=number(case.case_number),
            subject=case.subject,
            stage=progress.stage_text,
            responsible=progress.responsible,
            promise=told(progress.promise_text),
            next=told(progress.next_text),
        )
        return call.ask(said, call.line("usual_keys"), keys=USUAL_KEYS)

    async def answer(self, call: Call, key: str) -> State:  # noqa: ARG002 -- only the usual keys mean anything here
        return again(call.state, "mismatch")

"""Reporting a fault by keys: what it is, where it is, and a case with a number (INT-01, INT-02, INT-19)."""

from __future__ import annotations

from servicekit.errors import Fault

from gateway.hotline.call import Call, again, to_agent
from gateway.hotline.pages import Ask
from gateway.hotline.state import State
from gateway.hotline.steps.choices import USUAL_KEYS, Choice, ask_choice, choice_of, next_offset, wants_more
from gateway.hotline.wording import FaultChoice, Part, faults, number, told

KIND = "fault_repair"


def begin(call: Call) -> State:
    """Who is not on file must first agree to be; who hides their number can't be served by machine."""
    state = call.state
    if not state.phone:
        return to_agent(state, "withheld", "consent.number_withheld")
    return state.to("category" if state.is_known or state.consented else "consent")


class ConsentStep:
    """What is kept of the caller, why and how long (INT-19)."""

    async def ask(self, call: Call) -> Ask:
        return call.ask(call.line("consent.ask"), keys=("1", "2", *USUAL_KEYS))

    async def answer(self, call: Call, key: str) -> State:
        match key:
            case "1":
                return call.state.to("category", consented=True)
            case "2":
                return call.state.to("menu", notice="consent.refused")
            case _:
                return again(call.state, "mismatch")


class CategoryStep:
    """The service that has the fault (INT-03)."""

    async def ask(self, call: Call) -> Ask:
        return ask_choice(call, "category.ask", self._choices(call))

    async def answer(self, call: Call, key: str) -> State:
        choices = self._choices(call)
        if wants_more(choices, key):
            return call.state.to("category", offset=next_offset(call, choices))
        chosen = choice_of(call, choices, key)
        return call.state.to("symptom", category=int(chosen.value)) if chosen else again(call.state, "mismatch")

    @staticmethod
    def _choices(call: Call) -> list[Choice]:
        return [Choice(str(position), fault.label[call.language]) for position, fault in enumerate(faults())]


class SymptomStep:
    """What is wrong with it."""

    async def ask(self, call: Call) -> Ask:
        return ask_choice(call, "symptom.ask", self._choices(call))

    async def answer(self, call: Call, key: str) -> State:
        choices = self._choices(call)
        if wants_more(choices, key):
            return call.state.to("symptom", offset=next_offset(call, choices))
        chosen = choice_of(call, choices, key)
        if chosen is None:
            return again(call.state, "mismatch")
        return _ask_where_unknown(call, call.state.to("confirm", symptom=int(chosen.value)))

    @staticmethod
    def _choices(call: Call) -> list[Choice]:
        symptoms = _fault(call.state).symptoms
        return [Choice(str(position), symptom[call.language]) for position, symptom in enumerate(symptoms)]


class AreaStep:
    """Where it is: from the whole down to a region that has none below it."""

    async def ask(self, call: Call) -> Ask:
        return ask_choice(call, "area.ask", self._choices(call))

    async def answer(self, call: Call, key: str) -> State:
        choices = self._choices(call)
        if wants_more(choices, key):
            return call.state.to("area", area=call.state.area, offset=next_offset(call, choices))
        chosen = choice_of(call, choices, key)
        if chosen is None:
            return again(call.state, "mismatch")
        if _below(call, chosen.value):
            return call.state.to("area", area=chosen.value)
        return call.state.to("confirm", region=chosen.value)

    @staticmethod
    def _choices(call: Call) -> list[Choice]:
        return [Choice(region, call.region_name(region)) for region in _below(call, call.state.area or call.root)]


class ConfirmStep:
    """The report is read back, and sent when it is right."""

    async def ask(self, call: Call) -> Ask:
        area = call.region_name(call.state.region)
        return call.ask(call.line("confirm.ask", symptom=_symptom(call), area=area), keys=("1", "2", "3", *USUAL_KEYS))

    async def answer(self, call: Call, key: str) -> State:
        match key:
            case "1":
                return await self._send(call)
            case "2":
                return call.state.to("category")
            case "3":
                return _ask_where_unknown(call, call.state.to("confirm", region=""))
            case _:
                return again(call.state, "mismatch")

    @staticmethod
    async def _send(call: Call) -> State:
        state, fault = call.state, _fault(call.state)
        description = call.text("note.reported", category=fault.label[call.language], symptom=_symptom(call))
        if not state.is_known:
            description += call.text("note.consented")
        opened = await call.intake.open_case(
            state,
            region=state.region,
            subject=_symptom(call),
            description=description,
            kind=KIND,
            category=fault.category,
        )
        # Whoever was nobody a moment ago is a customer now, and may ask for their case in the same call.
        return state.to(
            "opened", case=opened.case.case_number, joined=opened.joined, customer_id=opened.case.customer_id
        )


class OpenedStep:
    """The number of the case, and what is promised (INT-10)."""

    async def ask(self, call: Call) -> Ask:
        state = call.state
        places = {"number": number(state.case), "promise": await self._promise(call)}
        said = call.line("opened.joined" if state.joined else "opened.ask", **places)
        return call.ask(said, call.line("usual_keys"), keys=USUAL_KEYS)

    async def answer(self, call: Call, key: str) -> State:  # noqa: ARG002 -- only the usual keys mean anything here
        return again(call.state, "mismatch")

    @staticmethod
    async def _promise(call: Call) -> tuple[Part, ...]:
        """The case is open and has its number: that must be heard even when nothing more can be learnt about it."""
        try:
            return told((await call.intake.progress(call.state.case)).promise_text)
        except Fault:
            return ()


def _fault(state: State) -> FaultChoice:
    return faults()[state.category]


def _symptom(call: Call) -> str:
    return _fault(call.state).symptoms[call.state.symptom][call.language]


def _ask_where_unknown(call: Call, state: State) -> State:
    """`state`, unless it has no region and there is more than one to choose from."""
    if state.region:
        return state
    return state.model_copy(update={"step": "area"}) if _below(call, call.root) else _at(state, call.root)


def _at(state: State, region: str) -> State:
    return state.model_copy(update={"region": region})


def _below(call: Call, region: str) -> list[str]:
    """The regions to choose from below one, in the order of the standards; where there is only one, those below it."""
    below = [name for name, each in call.standards.regions.items() if each.parent == region]
    return _below(call, below[0]) or below if len(below) == 1 else below

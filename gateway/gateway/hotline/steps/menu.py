"""The beginning of a call: language, who calls, and the main menu."""

from __future__ import annotations

from typing import Final

from bihuan.intake.v1 import customers_pb2
from servicekit.languages import LANGUAGES, Language

from gateway.hotline.call import Call, again
from gateway.hotline.pages import AGENT, REPEAT, Ask
from gateway.hotline.state import State
from gateway.hotline.steps import progress, report, survey
from gateway.hotline.steps.choices import Choice, ask_choice, choice_of, next_offset, wants_more
from gateway.hotline.wording import line

_LANGUAGE_KEYS: Final[dict[str, Language]] = {"1": "zh-CN", "2": "en"}
# What stands for the hidden part of a name.
_MASK: Final = "*"


class LanguageStep:
    """普通话 or English; remembered for the rest of the call."""

    async def ask(self, call: Call) -> Ask:  # noqa: ARG002 -- the same for everybody
        lines = [line(language, key) for key in ("welcome", "language") for language in LANGUAGES]
        return Ask(tuple(lines), (*_LANGUAGE_KEYS, REPEAT, AGENT))

    async def answer(self, call: Call, key: str) -> State:
        language = _LANGUAGE_KEYS.get(key)
        if language is None:
            return again(call.state, "mismatch")
        return call.state.to("customer" if call.state.shared else "menu", language=language)


class CustomerStep:
    """Several customers share the number: which of them is it?"""

    async def ask(self, call: Call) -> Ask:
        return ask_choice(call, "customer.ask", [_choice(call, customer) for customer in await self._sharing(call)])

    async def answer(self, call: Call, key: str) -> State:
        customers = await self._sharing(call)
        choices = [_choice(call, customer) for customer in customers]
        if wants_more(choices, key):
            return call.state.to("customer", offset=next_offset(call, choices))
        chosen = choice_of(call, choices, key)
        if chosen is None:
            return again(call.state, "mismatch")
        region = next(customer.region for customer in customers if customer.customer_id == chosen.value)
        return call.state.to("menu", customer_id=chosen.value, region=region, shared=False)

    async def _sharing(self, call: Call) -> list[customers_pb2.Customer]:
        return list(await call.intake.find_customers(call.state.phone))


class MenuStep:
    """What the caller wants."""

    async def ask(self, call: Call) -> Ask:
        return call.ask(call.line("menu.ask"), keys=("1", "2", "3", REPEAT, AGENT))

    async def answer(self, call: Call, key: str) -> State:
        match key:
            case "1":
                return report.begin(call)
            case "2":
                return progress.begin(call)
            case "3":
                return await survey.begin(call)
            case _:
                return again(call.state, "mismatch")


def _choice(call: Call, customer: customers_pb2.Customer) -> Choice:
    name = customer.name.rstrip(_MASK) or call.text("customer.unnamed")
    label = call.text("customer.label", name=name, region=call.region_name(customer.region))
    return Choice(customer.customer_id, label)

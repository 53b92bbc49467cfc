"""One turn of a call: what a step needs to say its piece and to understand the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from servicekit.languages import DEFAULT_LANGUAGE, Language

from gateway.hotline.intake import Intake
from gateway.hotline.pages import PATIENCE, Ask, Page
from gateway.hotline.state import State
from gateway.hotline.wording import Line, Part, line, text
from standards import Standards


@dataclass(frozen=True)
class Call:
    """The call as it stands, and what is around it."""

    state: State
    intake: Intake
    standards: Standards
    # The region that the voice platform answers for.
    root: str
    # Where agents are reached now; empty when they are not.
    agents: str

    @property
    def language(self) -> Language:
        return self.state.language or DEFAULT_LANGUAGE

    @property
    def before(self) -> tuple[Line, ...]:
        """What the last step left to be said."""
        return (self.line(self.state.notice),) if self.state.notice else ()

    def line(self, key: str, /, **places: Part | tuple[Part, ...]) -> Line:
        """Something said in the caller's language."""
        return line(self.language, key, **places)

    def text(self, key: str, /, **places: str) -> str:
        """Something written on the case, in the caller's language."""
        return text(self.language, key, **places)

    def ask(self, *lines: Line, keys: Sequence[str], digits: tuple[int, int] | None = None) -> Ask:
        """A question with its keys, after what the last step left to be said."""
        return Ask(lines, tuple(keys), digits, self.before)

    def region_name(self, region: str) -> str:
        """The region as people call it; its path where the standards don't know it any more."""
        known = self.standards.regions.get(region)
        return known.label[self.language] if known else region


class Step(Protocol):
    """One place in the dialogue. Both methods raise Fault when the services can't do their part."""

    async def ask(self, call: Call) -> Page:
        """What the caller hears there."""
        ...

    async def answer(self, call: Call, key: str) -> State:
        """Where the call goes on after these keys."""
        ...


def to_agent(state: State, reason: str, notice: str = "") -> State:
    """The caller wants an agent, or needs one; `reason` is a text under `reason`."""
    return state.to("agent", reason=reason, notice=notice)


def again(state: State, notice: str) -> State:
    """The same step, because the answer was none; an agent when that happens too often."""
    misses = state.misses + 1
    if misses >= PATIENCE:
        return to_agent(state, "mismatch")
    return state.to(state.step, notice=notice, misses=misses, offset=state.offset, area=state.area)

"""Lists of choices by key: one to eight on a page, longer lists page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.hotline.call import Call
from gateway.hotline.pages import AGENT, BACK, REPEAT, Ask

USUAL_KEYS: Final = (REPEAT, BACK, AGENT)
_MOST: Final = 8
_MORE: Final = "8"


@dataclass(frozen=True)
class Choice:
    """One of several, as the dialogue keeps it and as the caller hears it."""

    value: str
    label: str


def ask_choice(call: Call, key: str, choices: Sequence[Choice]) -> Ask:
    """Says the text `key` and then each choice with its key."""
    shown = _shown(call, choices)
    lines = [call.line("option", label=choice.label, key=str(key)) for key, choice in enumerate(shown, start=1)]
    keys = [str(key) for key in range(1, len(shown) + 1)]
    if len(choices) > _MOST:
        lines.append(call.line("more_options", key=_MORE))
        keys.append(_MORE)
    return call.ask(call.line(key), *lines, keys=(*keys, *USUAL_KEYS))


def choice_of(call: Call, choices: Sequence[Choice], key: str) -> Choice | None:
    """What was chosen; None when the key stands for nothing."""
    shown = _shown(call, choices)
    return shown[int(key) - 1] if key.isdecimal() and 1 <= int(key) <= len(shown) else None


def wants_more(choices: Sequence[Choice], key: str) -> bool:
    return len(choices) > _MOST and key == _MORE


def next_offset(call: Call, choices: Sequence[Choice]) -> int:
    """Where the next page of the list begins; after the last comes the first."""
    after = call.state.offset + _MOST - 1
    return after if after < len(choices) else 0


def _shown(call: Call, choices: Sequence[Choice]) -> Sequence[Choice]:
    if len(choices) <= _MOST:
        return choices
    return choices[call.state.offset : call.state.offset + _MOST - 1]

"""A question with its key, whatever its kind (TRN-03). Values only; marking is the exams' affair."""

import hashlib
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

WHOLE = 100.0


class Kind(StrEnum):
    """The words behind the contract's QuestionKind."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    TRUE_FALSE = "true_false"
    NUMERIC = "numeric"
    SHORT_ANSWER = "short_answer"
    MATCHING = "matching"
    ORDERING = "ordering"
    ESSAY = "essay"


class Value(BaseModel):
    """Read-only, and nothing unknown in it. Stored as JSON; the field names are the contract's."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WeightedText(Value):
    """A choice or an accepted answer, and what it is worth in percent of the question's points, from -100 to 100."""

    text: str
    percent: float


class NumberRange(Value):
    """Numbers from `lowest` to `highest`, both included, are worth `percent`."""

    lowest: float
    highest: float
    percent: float


class Pair(Value):
    """What belongs together. An answer with an empty prompt only distracts."""

    prompt: str
    answer: str


class Question(Value):
    """Which fields are filled depends on the kind; see the contract's Question."""

    kind: Kind
    name: str
    # Path of the file's last `$CATEGORY:`; empty before the first one.
    category: str = ""
    text: str
    text_format: str = "moodle"
    choices: tuple[WeightedText, ...] = ()
    is_true: bool = False
    accepted: tuple[WeightedText, ...] = ()
    numbers: tuple[NumberRange, ...] = ()
    pairs: tuple[Pair, ...] = ()
    items: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """The texts that a candidate chooses from, in an order that tells nothing but, for ordering, the right one."""
        match self.kind:
            case Kind.SINGLE | Kind.MULTIPLE:
                return tuple(choice.text for choice in self.choices)
            case Kind.MATCHING:
                return tuple(sorted({pair.answer for pair in self.pairs}))
            case Kind.ORDERING:
                return self.items
            case _:
                return ()

    @property
    def prompts(self) -> tuple[Pair, ...]:
        """Of matching: what needs an answer each."""
        return tuple(pair for pair in self.pairs if pair.prompt)

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of everything in it: the same question in two imports has the same one."""
        return hashlib.sha256(self.model_dump_json().encode()).digest()

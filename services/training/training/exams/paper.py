"""A paper: questions drawn by blueprint, shown in an order of their own, and the answers to them (TRN-04). Pure."""

from collections.abc import Mapping, Sequence
from random import Random
from uuid import UUID

from pydantic import Field
from servicekit.errors import Fault

from training.question_banks.question import Kind, Question, Value


class Section(Value):
    """So many questions of one kind, from one category and those below it; an empty one is any."""

    kind: Kind
    category: str = ""
    count: int
    # Of each question.
    points: int

    def takes(self, question: Question) -> bool:
        if question.kind != self.kind:
            return False
        return not self.category or f"{question.category}/".startswith(f"{self.category}/")


class Response(Value):
    """What a candidate answers; see the contract's Response."""

    chosen: tuple[int, ...] = ()
    truth: bool | None = None
    number: float | None = None
    text: str = ""


_NOTHING = Response()
# The field in which a kind is answered; all others by what is chosen.
_FIELD = {
    Kind.TRUE_FALSE: "truth",
    Kind.NUMERIC: "number",
    Kind.SHORT_ANSWER: "text",
    Kind.ESSAY: "text",
}


class PaperQuestion(Value):
    """A question as it was put to one candidate."""

    position: int
    question_id: UUID
    points: int
    question: Question
    # The options of the question by their index, in the order in which this paper shows them.
    shown: tuple[int, ...] = Field(default=())

    @property
    def choices(self) -> tuple[str, ...]:
        """What can be chosen, as it is shown."""
        options = self.question.options
        return tuple(options[index] for index in self.shown)


def draw_paper(
    blueprint: Sequence[Section], bank: Mapping[UUID, Question], random: Random
) -> tuple[PaperQuestion, ...]:
    """A paper with no question twice, in the blueprint's order.

    The most special sections draw first, so that general ones don't take their questions. Raises Fault bank_too_small.
    """
    left = dict(sorted(bank.items()))
    drawn: dict[int, list[UUID]] = {}
    for place in sorted(range(len(blueprint)), key=lambda place: -len(blueprint[place].category)):
        section = blueprint[place]
        fitting = [question_id for question_id, question in left.items() if section.takes(question)]
        if len(fitting) < section.count:
            raise Fault(
                "bank_too_small", field="blueprint", kind=section.kind, wanted=section.count, found=len(fitting)
            )
        drawn[place] = random.sample(fitting, section.count)
        for question_id in drawn[place]:
            del left[question_id]
    chosen = [(blueprint[place].points, question_id) for place in sorted(drawn) for question_id in drawn[place]]
    return tuple(
        PaperQuestion(
            position=position,
            question_id=question_id,
            points=points,
            question=bank[question_id],
            shown=_shuffled(bank[question_id], random),
        )
        for position, (points, question_id) in enumerate(chosen, start=1)
    )


def require_fits(asked: PaperQuestion, response: Response) -> None:
    """Raises Fault answer_unfit for a response that can't be one to this question, right or wrong."""
    options, kind = len(asked.shown), asked.question.kind
    chosen = response.chosen
    # An unanswered prompt of matching is a 0.
    lowest = 0 if kind == Kind.MATCHING else 1
    in_range = all(lowest <= number <= options for number in chosen)
    fits = {
        Kind.SINGLE: len(chosen) == 1 and in_range,
        Kind.MULTIPLE: len(set(chosen)) == len(chosen) and in_range,
        Kind.TRUE_FALSE: response.truth is not None,
        Kind.NUMERIC: response.number is not None,
        Kind.SHORT_ANSWER: bool(response.text.strip()),
        Kind.MATCHING: len(chosen) == len(asked.question.prompts) and in_range,
        Kind.ORDERING: sorted(chosen) == list(range(1, options + 1)),
        Kind.ESSAY: bool(response.text.strip()),
    }
    filled = {name for name, empty in _NOTHING.model_dump().items() if getattr(response, name) != empty}
    # What belongs to another kind of question was meant for another question.
    if not fits[kind] or not filled <= {_FIELD.get(kind, "chosen")}:
        raise Fault("answer_unfit", field="response", kind=kind)


def _shuffled(question: Question, random: Random) -> tuple[int, ...]:
    order = list(range(len(question.options)))
    random.shuffle(order)
    return tuple(order)

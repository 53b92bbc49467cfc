"""The shape of every entry in `data/`. What an entry alone can get wrong is refused here; see `references`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from standards.values import (
    STRICTNESSES,
    CalendarName,
    Duration,
    Entry,
    Language,
    Name,
    PlacedTexts,
    Section,
    Source,
    Strictness,
    Text,
    Texts,
    Value,
    Word,
    in_both_languages,
)

WEIGHTS_TOTAL = 100


class CaseKind(Word):
    """What a customer wants (INT-02)."""

    response_clock: Name


class Urgency(Word):
    priority: int = Field(ge=1, le=5, description="Priority of a new case of this urgency; 1 is the highest.")


class ComplaintClass(Word):
    usual_share: Decimal = Field(ge=0, le=100, description="Percent of all complaints, as the manuals print it.")
    training_topic: Name | None = Field(None, description="What the person concerned is to learn afterwards (TRN-07).")


class ComplaintSeverity(Word):
    response_clock: Name
    alerts_management: bool


class ComplaintRemedy(Word):
    """What a customer can get (CMP-04). Without a `unit`, it is given or not."""

    unit: Texts | None = None
    limits: Section[Annotated[int, Field(ge=0)]] = Field(
        min_length=1, description="Most of the unit that a role may grant in one complaint."
    )


class ComplaintCause(Word):
    """A node of the cause tree (CMP-07)."""

    under: Name | None = None


class DisputeStage(Word):
    order: int = Field(ge=1, description="No stage may be skipped.")


class KeywordRule(Entry):
    """Words that speak for a kind, a category, an urgency or several of them (INT-04)."""

    name: Name
    words: Annotated[
        Mapping[Language, Annotated[tuple[Text, ...], Field(min_length=1)]], AfterValidator(in_both_languages)
    ]
    weight: Decimal = Field(gt=0, le=10)
    kind: Name | None = None
    category: Name | None = None
    urgency: Name | None = None

    @model_validator(mode="after")
    def _proposes_something(self) -> KeywordRule:
        if not (self.kind or self.category or self.urgency):
            raise ValueError("a rule must propose a kind, a category or an urgency")
        return self


class ComplaintKeywordRule(Entry):
    """Words that speak for a complaint's class, its severity or both (CMP-02, CMP-03)."""

    name: Name
    words: Annotated[
        Mapping[Language, Annotated[tuple[Text, ...], Field(min_length=1)]], AfterValidator(in_both_languages)
    ]
    weight: Decimal = Field(gt=0, le=10)
    complaint_class: Name | None = None
    severity: Name | None = None

    @model_validator(mode="after")
    def _proposes_something(self) -> ComplaintKeywordRule:
        if not (self.complaint_class or self.severity):
            raise ValueError("a rule must propose a class or a severity")
        return self


class ClockStandard(Word):
    """How long something may take (INT-05, INT-06). `limit` counts only time in which the calendar is open."""

    requirement: str = Field(pattern=r"^[A-Z]{3}-\d{2}$")
    subject: Literal[
        "contact",
        "case",
        "appointment",
        "work_order",
        "complaint",
        "emergency",
        "incident",
        "maintenance",
        "assignment",
        "attempt",
        "certificate",
        "partner",
        "report",
        "access_request",
    ]
    limit: Duration
    calendar: CalendarName
    warn_at: tuple[Annotated[int, Field(gt=0, lt=100)], ...] = Field(description="Percent of the limit, rising.")
    strictness: Strictness
    timer: bool = Field(default=False, description="To run out is its normal end: nobody is late then.")
    starts: Texts
    stops: Texts
    applies_to: tuple[Name, ...] = Field((), description="Case kinds; empty: every kind.")

    @model_validator(mode="after")
    def _warns_in_order(self) -> ClockStandard:
        if list(self.warn_at) != sorted(set(self.warn_at)):
            raise ValueError("warn_at must rise")
        return self

    @model_validator(mode="after")
    def _is_watched_where_it_must_be(self) -> ClockStandard:
        if self.timer and self.strictness == "regulatory":
            raise ValueError("a regulatory limit is no timer")
        return self


class Figure(Value):
    """One figure that a manual gives for an indicator."""

    value: Decimal = Field(ge=0)
    strictness: Strictness
    source: Source


class Target(Word):
    """An indicator with its figures side by side, from the regulatory minimum to the internal target."""

    requirement: str = Field(pattern=r"^[A-Z]{3}-\d{2}$")
    unit: Literal["percent", "second", "minute", "hour", "megabit_per_second"]
    direction: Literal["at_least", "at_most", "below"]
    figures: tuple[Figure, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rises_in_strictness(self) -> Target:
        ranks = [STRICTNESSES.index(figure.strictness) for figure in self.figures]
        if ranks != sorted(set(ranks)):
            raise ValueError("figures go from regulatory over promise to internal, each at most once")
        values = [figure.value for figure in self.figures]
        if values != sorted(values, reverse=self.direction != "at_least"):
            raise ValueError("a stricter figure must not be easier to reach")
        return self

    def figure(self, strictness: Strictness) -> Decimal | None:
        return next((figure.value for figure in self.figures if figure.strictness == strictness), None)


class EmergencyLevel(Word):
    level: int = Field(ge=1, le=3)
    response_clock: Name
    commander: Literal["staff_on_duty", "regional_centre", "headquarters"]
    commanded_by: Texts


class RankedWord(Word):
    """A word with a place in an order: a higher rank includes or outweighs the lower ones."""

    rank: int = Field(ge=1)


class DataGrade(RankedWord):
    """How data is guarded (REC-03, REC-05): whose request to open it counts, and how many others must approve it."""

    approvals: int = Field(ge=0, le=5)
    opened_to: tuple[Name, ...] = Field(min_length=1, description="Roles.")


class AlarmSeverity(RankedWord):
    """How serious an alarm is (DSP-07). Without an `emergency` it only warns."""

    emergency: Name | None = None


class AlarmType(Word):
    incident_kind: Name


class Priority(Word):
    name: str = Field(pattern=r"^[1-5]$")


class Visit(Entry):
    """What a visit for a service category needs when nobody says otherwise (DSP-02)."""

    name: Name
    skill: Name
    level: Name


class Region(Word):
    """Where services are and who is on duty there. `duty_owner` and `supervisor` come from above where not given."""

    name: str = Field(pattern=r"^[a-z0-9]+(\.[a-z0-9]+)*$")
    level: Literal["country", "province", "city", "district"]
    duty_owner: Text
    supervisor: Text

    @property
    def parent(self) -> str | None:
        return self.name.rpartition(".")[0] or None


class OpeningHours(Value):
    """When shops are open, the same every week; local time."""

    opens: time
    closes: time
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(min_length=1, description="1 is Monday.")

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> OpeningHours:
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self


class Calendar(Word):
    """A calendar that clocks run on (INT-07)."""

    name: CalendarName
    hours: OpeningHours | None = None

    @model_validator(mode="after")
    def _has_hours_when_it_is_a_shop(self) -> Calendar:
        if (self.name == "shop_hours") != (self.hours is not None):
            raise ValueError("shop_hours, and no other calendar, needs hours")
        return self


class CalendarYear(Entry):
    """The State Council's arrangement of one year, for years the calendar library does not know yet."""

    name: str = Field(pattern=r"^2\d{3}$")
    holidays: tuple[date, ...] = Field(min_length=1, description="Days off, also those at weekends.")
    make_up_days: tuple[date, ...] = Field((), description="Saturdays and Sundays that are worked.")

    @model_validator(mode="after")
    def _stays_in_its_year(self) -> CalendarYear:
        for day in (*self.holidays, *self.make_up_days):
            if day.year != int(self.name):
                raise ValueError(f"{day} is not in {self.name}")
        if both := set(self.holidays) & set(self.make_up_days):
            raise ValueError(f"{min(both)} can't be both off and worked")
        return self


class Scorecard(Word):
    """Weights in percent (TRN-08)."""

    weights: Section[Annotated[Decimal, Field(gt=0)]]
    indicators: Section[Texts]

    @model_validator(mode="after")
    def _adds_up(self) -> Scorecard:
        if (total := sum(self.weights.values())) != WEIGHTS_TOTAL:
            raise ValueError(f"the weights sum to {total}, not {WEIGHTS_TOTAL}")
        if self.weights.keys() != self.indicators.keys():
            raise ValueError("every weight needs the label of its indicator, and the other way round")
        return self


class RetentionClass(Word):
    years: int = Field(ge=1, le=100)
    grade: Name


class Window(Word):
    """A length of time that a rule looks back or ahead."""

    requirement: str = Field(pattern=r"^[A-Z]{3}-\d{2}$")
    length: Duration


class Threshold(Word):
    requirement: str = Field(pattern=r"^[A-Z]{3}-\d{2}$")
    value: Decimal


class Schedule(Word):
    """Pauses between tries of the same, the first one after the first try."""

    requirement: str = Field(pattern=r"^[A-Z]{3}-\d{2}$")
    pauses: tuple[Duration, ...] = Field(min_length=1)


class Stage(Word):
    """What people are told about a stage (INT-10). Places: `{responsible}`, `{promised_by}`, `{appointment}`."""

    responsible: Texts
    promise: PlacedTexts
    next: PlacedTexts


class Notice(Word):
    """What replaces a stage's promise in a special situation."""

    promise: PlacedTexts
    next: PlacedTexts

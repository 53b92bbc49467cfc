"""What a customer is told about their case, in their language (INT-10). Pure; the texts are standards/stages.yaml."""

from collections.abc import Sequence
from datetime import UTC

from bihuan.common.v1.common_pb2 import CLOCK_STATE_MISSED, Clock
from bihuan.intake.v1 import cases_pb2
from servicekit.languages import Language
from servicekit.moments import CHINA_TIME, TIME_FORMAT
from standards.models import Notice
from standards.models import Stage as StageTexts

from intake.cases.appointed import NOT_POSSIBLE, OFFERED, VISITED
from intake.cases.case import Case, Outcome, Stage
from intake.cases.messages import stage_name, stage_of
from intake.cases.promises import promised_clock
from intake.cases.slot import NONE
from standards import Standards


def describe(
    case: Case,
    clocks: Sequence[Clock],
    history: Sequence[cases_pb2.HistoryEntry],
    language: Language,
    standards: Standards,
) -> cases_pb2.Progress:
    """Stage, who is responsible, what is promised by when, what comes next, and the way so far."""
    stage = standards.stages.cases[case.stage.value]
    clock = promised_clock(case, clocks)
    refusal = _refused_appointment(case, history)
    told: StageTexts | Notice = _notice(case, clock, refusal, standards) or stage
    named = case.stage in {Stage.ASSIGNED, Stage.HANDLING} and case.handler_name
    responsible = named or stage.responsible[language]
    due = clock.due_at if clock is not None and clock.HasField("due_at") else None
    places = {
        "responsible": responsible,
        "promised_by": _promised_by(clock),
        "appointment": refusal or str(case.appointed or ""),
    }
    return cases_pb2.Progress(
        case_number=case.case_number,
        stage=stage_name(case.stage),
        stage_text=stage.label[language],
        responsible=responsible,
        promise_text=told.promise[language].format_map(places),
        promised_by=due,
        next_text=told.next[language].format_map(places),
        stages=_visits(history, language, standards),
    )


def notice_text(notice: Notice, language: str, *, clock: Clock | None, appointment: str = "") -> str:
    """What the customer is told of our own accord: the promise and what comes next. `clock` is the one promised."""
    places = {"responsible": "", "promised_by": _promised_by(clock), "appointment": appointment}
    told: Language = "en" if language == "en" else "zh-CN"
    return "\n".join(text[told].format_map(places) for text in (notice.promise, notice.next))


def _promised_by(clock: Clock | None) -> str:
    if clock is None or not clock.HasField("due_at"):
        return "…"
    return clock.due_at.ToDatetime(UTC).astimezone(CHINA_TIME).strftime(TIME_FORMAT)


def _notice(case: Case, clock: Clock | None, refusal: str, standards: Standards) -> Notice | None:
    """What is said instead of the stage's own words when something is out of the ordinary."""
    notices = standards.stages.notices
    if case.outcome == Outcome.WITHDRAWN:
        return notices["withdrawn"]
    if case.waiting_for_customer:
        return notices["waiting_for_customer"]
    if clock is not None and clock.state == CLOCK_STATE_MISSED:
        return notices["overdue"]
    if case.waits_for_incident:
        return notices["outage"]
    if refusal:
        return notices["appointment_failed"]
    if case.stage == Stage.ACCEPTED and case.reopened_times:
        return notices["reopened"]
    if case.stage in VISITED and case.appointed is not None:
        return notices["appointment"]
    return None


def _refused_appointment(case: Case, history: Sequence[cases_pb2.HistoryEntry]) -> str:
    """The other times that were offered, when an appointed one could not be had or kept; empty once that is settled.

    Empty also where there are none to offer: then only what becomes of the case is told, as after a visit in vain.
    """
    if case.stage != Stage.ACCEPTED:
        return ""
    news = [entry for entry in history if entry.happened.startswith("appointment_")]
    if not news or news[-1].happened not in NOT_POSSIBLE or news[-1].details[OFFERED] == NONE:
        return ""
    return news[-1].details[OFFERED]


def _visits(
    history: Sequence[cases_pb2.HistoryEntry], language: Language, standards: Standards
) -> list[cases_pb2.StageVisit]:
    visits: list[cases_pb2.StageVisit] = []
    for entry in history:
        if visits and visits[-1].stage == entry.stage:
            continue
        if visits:
            visits[-1].left_at.CopyFrom(entry.at)
        responsible = standards.stages.cases[stage_of(entry.stage).value].responsible[language]
        visits.append(cases_pb2.StageVisit(stage=entry.stage, entered_at=entry.at, responsible=responsible))
    return visits

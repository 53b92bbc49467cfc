"""The rules of the loop check (issue part 9): a whole loop is clean, and whatever falls out of it is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from bihuanctl.check.facts import (
    DeadLetterFact,
    EntityFact,
    LoggedEvents,
    ServiceBacklog,
    Snapshot,
    UnhandledEvent,
)
from bihuanctl.check.findings import Finding, both
from bihuanctl.check.rules import (
    AGREEING_STATES,
    ENDED_STATES,
    EXAM_CLOCK,
    RECORDED_STAGES,
    STAGES,
    WORK_ORDER_STATES,
    judge,
)
from bihuanctl.texts import Texts
from hypothesis import given
from hypothesis import strategies as st

from standards import load

CASE = "0193a5f0-0000-7000-8000-000000000001"
ORDER = "0193a5f0-0000-7000-8000-0000000000a1"
RECORD = "0193a5f0-0000-7000-8000-0000000000b1"
QUIET = {name: ServiceBacklog() for name in ("intake", "dispatch", "complaints", "records")}


def _case(stage: str, case_id: str = CASE) -> EntityFact:
    return EntityFact("case", case_id, case_id, stage, service="intake")


def _order(state: str, case_id: str = CASE, order_id: str = ORDER) -> EntityFact:
    return EntityFact("work_order", order_id, case_id, state)


def _record(case_id: str = CASE, record_id: str = RECORD) -> EntityFact:
    return EntityFact("record", record_id, case_id, "filed")


def _with(whole: Snapshot, **changes: Any) -> Snapshot:
    """The same loop with other facts, as `case=[…]`, or with another part of the snapshot."""
    parts = {name: changes.pop(name) for name in ("events", "silent") if name in changes}
    return replace(whole, facts={**whole.facts, **changes}, **parts)


@st.composite
def whole_loops(draw: st.DrawFn) -> Snapshot:
    """Cases anywhere on their way, each with what belongs to it and nothing else."""
    cases, orders, records, opened, asked = [], [], [], {}, {}
    stages = draw(st.lists(st.sampled_from([stage for stage in STAGES if stage != "closed"]), max_size=12))
    for number, stage in enumerate(stages):
        case_id, order_id = str(UUID(int=number + 1)), str(UUID(int=1000 + number))
        cases.append(_case(stage, case_id))
        opened[case_id] = f"2611-0000-{number:04}"
        if draw(st.booleans()):
            state = draw(st.sampled_from([*ENDED_STATES, *AGREEING_STATES[stage]]))
            orders.append(_order(state, case_id, order_id))
            asked[order_id] = case_id
        if stage in RECORDED_STAGES:
            records.append(_record(case_id, str(UUID(int=2000 + number))))
    events = LoggedEvents(total=len(cases), opened=opened, work_orders_asked=asked)
    facts = {"case": draw(st.permutations(cases)), "work_order": orders, "record": records}
    return Snapshot(QUIET, facts, events)


@given(whole_loops())
def test_a_whole_loop_is_clean(loop: Snapshot) -> None:
    assert judge(loop) == []


@given(whole_loops(), st.data())
def test_a_case_that_intake_lost_is_named(loop: Snapshot, data: st.DataObject) -> None:
    if not loop.of("case"):
        return
    lost = data.draw(st.sampled_from(list(loop.of("case"))))
    findings = judge(_with(loop, case=[case for case in loop.of("case") if case != lost]))
    assert ("case_lost", lost.entity_id) in {(finding.code, finding.entity_id) for finding in findings}
    # Everything that is found is about that one case.
    assert {finding.case_id for finding in findings} == {lost.entity_id}


@given(whole_loops(), st.data())
def test_a_case_in_two_stages_is_named(loop: Snapshot, data: st.DataObject) -> None:
    if not loop.of("case"):
        return
    twice = data.draw(st.sampled_from(list(loop.of("case"))))
    findings = judge(_with(loop, case=[*loop.of("case"), twice]))
    assert ("case_duplicated", twice.entity_id) in {(finding.code, finding.entity_id) for finding in findings}


@given(st.sampled_from(STAGES), st.sampled_from(WORK_ORDER_STATES))
def test_case_and_work_order_agree_or_are_named(stage: str, state: str) -> None:
    records = [_record()] if stage == "archived" else []
    snapshot = Snapshot(QUIET, {"case": [_case(stage)], "work_order": [_order(state)], "record": records})
    agrees = state in ENDED_STATES or state in AGREEING_STATES[stage]
    assert ("work_order_disagrees" in {finding.code for finding in judge(snapshot)}) is not agrees


def test_every_stage_has_its_agreement() -> None:
    assert set(AGREEING_STATES) == set(STAGES)
    assert {state for states in AGREEING_STATES.values() for state in states} | set(ENDED_STATES) == set(
        WORK_ORDER_STATES
    )


CLEAN = Snapshot(
    QUIET,
    {"case": [_case("archived")], "work_order": [_order("done")], "record": [_record()]},
    LoggedEvents(opened={CASE: "2611-0000-0017"}, work_orders_asked={ORDER: CASE}),
)
LETTER = DeadLetterFact("7", "records", "event-1", "bihuan.intake.case.closed.v1", "no result", CASE)
UNHANDLED = UnhandledEvent("records", "records", "event-1", "bihuan.intake.case.closed.v1", CASE)

COMPLAINT = "0193a5f0-0000-7000-8000-0000000000c1"
COMPLAINED = Snapshot(
    QUIET,
    {
        "case": [_case("handling")],
        "complaint": [EntityFact("complaint", COMPLAINT, CASE, "handling")],
        "work_order": [_order("on_site", COMPLAINT)],
    },
    events=LoggedEvents(
        opened={CASE: "2611-0000-0017"}, work_orders_asked={ORDER: COMPLAINT}, complaints_asked={COMPLAINT: CASE}
    ),
)


def _complaint(stage: str, case_id: str = CASE) -> list[EntityFact]:
    return [EntityFact("complaint", COMPLAINT, case_id, stage)]


COMPLAINT_FALLS: dict[str, Callable[[Snapshot], Snapshot]] = {
    "complaint_lost": lambda whole: _with(whole, complaint=[], work_order=[], events=_asked_for(COMPLAINT)),
    "complaint_without_case": lambda whole: _with(whole, complaint=_complaint("handling", RECORD)),
    "complaint_disagrees": lambda whole: _with(whole, case=[_case("delivered")]),
    "stage_illegal": lambda whole: _with(whole, complaint=_complaint("sulking"), work_order=[_order("done")]),
    "owner_problem": lambda whole: _with(whole, complaint=[replace(whole.of("complaint")[0], problems=("no owner",))]),
    "work_order_disagrees": lambda whole: _with(
        whole, work_order=[_order("assigned", COMPLAINT)], complaint=_complaint("registered")
    ),
    "record_missing": lambda whole: _with(whole, complaint=_complaint("archived"), work_order=[]),
    "archiving_stuck": lambda whole: _with(
        whole, complaint=_complaint("closed"), work_order=[], record=[_record(COMPLAINT)]
    ),
    "record_too_early": lambda whole: _with(whole, record=[_record(COMPLAINT)]),
}


def _asked_for(complaint_id: str) -> LoggedEvents:
    return LoggedEvents(opened={CASE: "2611-0000-0017"}, complaints_asked={complaint_id: CASE})


@pytest.mark.parametrize("code", COMPLAINT_FALLS)
def test_each_way_of_a_complaint_to_fall_out_has_its_own_finding(code: str) -> None:
    """CMP-01, INT-02: every open complaint is where its case waits; every closed one has a record."""
    assert judge(COMPLAINED) == []
    fallen = COMPLAINT_FALLS[code](COMPLAINED)
    findings = {finding.code for finding in judge(replace(fallen, events=_without_orders(fallen)))}
    assert findings == {code}


def _without_orders(snapshot: Snapshot) -> LoggedEvents:
    """Lost work orders have a test of their own."""
    return replace(snapshot.events, work_orders_asked={})


SLOT = "0193a5f0-0000-7000-8000-0000000000d1"
APPOINTED = Snapshot(
    QUIET,
    {
        "case": [_case("assessed")],
        "work_order": [_order("planned")],
        "appointment": [EntityFact("appointment", COMPLAINT, CASE, "confirmed")],
        "reservation": [
            EntityFact("reservation", SLOT, CASE, "booked"),
            EntityFact("reservation", ORDER, CASE, "expired"),
        ],
    },
)


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("appointment_without_slot", {"reservation": []}),
        ("appointment_without_slot", {"reservation": [EntityFact("reservation", SLOT, CASE, "booked")] * 2}),
        ("slot_without_appointment", {"appointment": []}),
        ("appointment_unanswered", {"appointment": [EntityFact("appointment", COMPLAINT, CASE, "initialized")]}),
    ],
)
def test_every_appointment_rests_on_one_booked_slot(code: str, facts: dict[str, list[EntityFact]]) -> None:
    """INT-09, DSP-05"""
    assert judge(APPOINTED) == []
    assert code in {finding.code for finding in judge(_with(APPOINTED, **facts))}


FALLS: dict[str, Callable[[Snapshot], Snapshot]] = {
    "silent": lambda whole: replace(whole, silent={"intake": "away"}),
    "outbox_waiting": lambda whole: replace(whole, backlogs=QUIET | {"intake": ServiceBacklog(outbox_waiting=1)}),
    "outbox_parked": lambda whole: replace(whole, backlogs=QUIET | {"intake": ServiceBacklog(outbox_parked=1)}),
    "consumer_pending": lambda whole: replace(whole, backlogs=QUIET | {"intake": ServiceBacklog(consumer_pending=1)}),
    "deadlines_overdue": lambda whole: replace(whole, backlogs=QUIET | {"intake": ServiceBacklog(deadlines_overdue=1)}),
    "stage_illegal": lambda whole: _with(whole, case=[_case("lost_in_the_post")], record=[]),
    "owner_problem": lambda whole: _with(whole, case=[replace(_case("archived"), problems=("no owner",))]),
    "event_unhandled": lambda whole: replace(whole, events=replace(whole.events, unhandled=[UNHANDLED])),
    "dead_letter": lambda whole: replace(whole, dead_letters=[LETTER]),
    "record_missing": lambda whole: _with(whole, record=[]),
    "record_duplicated": lambda whole: _with(whole, record=[_record(), _record(record_id=ORDER)]),
    "record_without_case": lambda whole: _with(whole, record=[_record(), _record(RECORD, ORDER)]),
    "record_too_early": lambda whole: _with(whole, case=[_case("handling")]),
    "archiving_stuck": lambda whole: _with(whole, case=[_case("closed")]),
    "work_order_lost": lambda whole: _with(whole, work_order=[]),
    "work_order_without_case": lambda whole: _with(whole, work_order=[*whole.of("work_order"), _order("done", RECORD)]),
    "state_illegal": lambda whole: _with(whole, work_order=[_order("dreaming")]),
}


@pytest.mark.parametrize("code", FALLS)
def test_each_way_to_fall_out_has_its_own_finding(code: str) -> None:
    assert judge(CLEAN) == []
    assert {finding.code for finding in judge(FALLS[code](CLEAN))} == {code}


def test_two_unfinished_work_orders_of_one_case_are_named() -> None:
    snapshot = Snapshot(
        QUIET, {"case": [_case("assigned")], "work_order": [_order("assigned"), _order("waiting", order_id=RECORD)]}
    )
    assert [finding.code for finding in judge(snapshot)] == ["work_orders_many"]


def test_what_ended_as_a_dead_letter_is_named_once() -> None:
    both = replace(CLEAN, dead_letters=[LETTER], events=replace(CLEAN.events, unhandled=[UNHANDLED]))
    assert [finding.code for finding in judge(both)] == ["dead_letter"]


def test_what_was_discarded_is_missed_only_while_somebody_waits_for_it() -> None:
    asked = DeadLetterFact("8", "dispatch", "event-2", "bihuan.dispatch.commands.create_work_order", "", CASE, ORDER)
    unheard = replace(UNHANDLED, service="dispatch", event_id="event-2")
    gone = replace(_with(CLEAN, work_order=[]), discarded=[asked], events=replace(CLEAN.events, unhandled=[unheard]))
    assert judge(gone) == []
    assert [finding.code for finding in judge(replace(gone, discarded=[]))] == ["event_unhandled", "work_order_lost"]
    waiting = replace(_with(gone, case=[_case("assessed")], record=[]), discarded=[asked])
    assert [finding.code for finding in judge(waiting)] == ["work_order_lost"]


def test_a_silent_service_is_not_accused_of_losing_things() -> None:
    silent = _with(CLEAN, case=[], silent={"intake": "away"})
    assert [finding.code for finding in judge(silent)] == ["silent"]


def test_trn_04_an_exam_without_its_clock_is_named() -> None:
    watched = EntityFact("attempt", ORDER, "", "running", running_clocks=("exam_time",))
    done = EntityFact("attempt", RECORD, "", "passed")
    assert judge(Snapshot(QUIET, {"attempt": [watched, done]})) == []
    (finding,) = judge(Snapshot(QUIET, {"attempt": [replace(watched, running_clocks=())]}))
    assert (finding.code, finding.service, finding.entity_id) == ("exam_without_clock", "training", ORDER)


@pytest.mark.parametrize(
    ("training", "dispatch", "code"),
    [
        ("valid", "valid", ""),
        ("revoked", "revoked", ""),
        ("valid", "", "certificate_disagrees"),
        ("expired", "valid", "certificate_disagrees"),
        ("", "valid", "certificate_invented"),
    ],
)
def test_trn_05_training_and_dispatch_know_the_same_certificates(training: str, dispatch: str, code: str) -> None:
    snapshot = Snapshot(
        QUIET,
        {
            "certificate": [EntityFact("certificate", ORDER, "", training)] if training else [],
            "known_certificate": [EntityFact("known_certificate", ORDER, "", dispatch)] if dispatch else [],
        },
    )
    assert [finding.code for finding in judge(snapshot)] == ([code] if code else [])
    assert judge(replace(snapshot, silent={"training": "away"}))[1:] == []


@pytest.mark.parametrize(
    ("quality", "complaints", "code"),
    [
        ("warned", "", ""),
        ("found", "found", ""),
        ("unanswered", "", "improvement_disagrees"),
        ("planned", "found", "improvement_disagrees"),
        ("", "found", "improvement_invented"),
    ],
)
def test_qlt_03_a_breach_and_its_improvement_know_of_each_other(quality: str, complaints: str, code: str) -> None:
    snapshot = Snapshot(
        QUIET,
        {
            "alert": [EntityFact("alert", ORDER, "", quality)] if quality else [],
            "alert_improvement": [EntityFact("alert_improvement", ORDER, "", complaints)] if complaints else [],
        },
    )
    assert [finding.code for finding in judge(snapshot)] == ([code] if code else [])
    assert judge(replace(snapshot, silent={"quality": "away"}))[1:] == []


@pytest.mark.parametrize(
    ("dispatch", "intake", "code"),
    [
        ("reported", "open", ""),
        ("isolated", "open", ""),
        ("restored", "restored", ""),
        ("closed", "restored", ""),
        ("dismissed", "dismissed", ""),
        ("", "joined", ""),
        ("reported", "", "incident_disagrees"),
        ("restored", "open", "incident_disagrees"),
        ("", "asked", "incident_lost"),
    ],
)
def test_int_15_dispatch_and_intake_know_the_same_incidents(dispatch: str, intake: str, code: str) -> None:
    snapshot = Snapshot(
        QUIET,
        {
            "incident": [EntityFact("incident", ORDER, "", dispatch)] if dispatch else [],
            "known_incident": [EntityFact("known_incident", ORDER, "", intake)] if intake else [],
        },
    )
    assert [finding.code for finding in judge(snapshot)] == ([code] if code else [])
    assert judge(replace(snapshot, silent={"dispatch": "away"}))[1:] == []


@pytest.mark.parametrize(
    ("code", "detail", "told"),
    [
        ("work_order_disagrees", both("handling", "on_site"), "处理中 / 已到场"),
        ("certificate_disagrees", both("expired", "unknown"), "已到期 / 未知"),
        ("dead_letter", both("bihuan.intake.case.opened.v1", "waited_too_long"), "case.opened.v1 / 等待超时"),
        ("exam_without_clock", EXAM_CLOCK, load().clocks[EXAM_CLOCK].label["zh-CN"]),
        ("consumer_pending", "17", "17"),
    ],
)
def test_a_finding_tells_states_and_clocks_in_words(code: str, detail: str, told: str) -> None:
    assert told in Finding(code, "dispatch", detail=detail).explanation(Texts("zh-CN"))

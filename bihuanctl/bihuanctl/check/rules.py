"""What a closed loop means, as pure rules from a snapshot to findings.

Each rule is one function; `judge` applies them all. A rule about a part that could not be asked says nothing: the
silence itself is the finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby

from bihuan.complaints.v1.complaints_pb2 import ComplaintStage
from bihuan.dispatch.v1.work_orders_pb2 import WorkOrderState
from bihuan.intake.v1.cases_pb2 import CaseStage

from bihuanctl.check.facts import EntityFact, Snapshot
from bihuanctl.check.findings import Finding, both

# Words of the contracts, as owners tell them: lower case, without the enum's prefix.
STAGES = tuple(name.removeprefix("CASE_STAGE_").lower() for name in CaseStage.keys()[1:])
WORK_ORDER_STATES = tuple(name.removeprefix("WORK_ORDER_STATE_").lower() for name in WorkOrderState.keys()[1:])
ENDED_STATES = ("done", "failed", "cancelled")
COMPLAINT_STAGES = tuple(name.removeprefix("COMPLAINT_STAGE_").lower() for name in ComplaintStage.keys()[1:])
# While a complaint stands here, the case that it came from waits for it; or had ended before the customer refused.
UNSETTLED_STAGES = ("registered", "classified", "handling", "handled", "disputed")
WAITING_STAGES = ("handling", "closed", "archived")

# Clock of standards/clocks.yaml that ends an exam.
EXAM_CLOCK = "exam_time"

# State of an alert that asks for no improvement.
WITHOUT_IMPROVEMENT = "warned"

# What intake must know of an incident, by its state at dispatch.
INCIDENTS_AS_KNOWN = {
    **dict.fromkeys(("reported", "acknowledged", "analysed", "isolated"), "open"),
    **dict.fromkeys(("restored", "closed"), "restored"),
    "dismissed": "dismissed",
}

# Stages in which a record is due.
RECORDED_STAGES = ("closed", "archived")

# Which unfinished work order may belong to a case in a stage. Once the bus is quiet, both sides know the same. An order
# that an engineer gave back waits or is assigned anew while the case stays where it was.
AGREEING_STATES: Mapping[str, tuple[str, ...]] = {
    "accepted": (),
    "assessed": ("planned", "waiting"),
    "assigned": ("waiting", "assigned"),
    "handling": ("accepted", "travelling", "on_site", "waiting", "assigned"),
    "delivered": (),
    "confirmed": (),
    "closed": (),
    "archived": (),
}


def judge(snapshot: Snapshot) -> list[Finding]:
    """Everything that is wrong, the most telling first."""
    return [finding for rule in RULES for finding in rule(snapshot)]


def every_part_answers(snapshot: Snapshot) -> Iterator[Finding]:
    for service, reason in snapshot.silent.items():
        yield Finding("silent", service=service, detail=reason)


def every_backlog_is_worked_off(snapshot: Snapshot) -> Iterator[Finding]:
    for service, backlog in snapshot.backlogs.items():
        if backlog.outbox_waiting:
            yield Finding("outbox_waiting", service=service, detail=str(backlog.outbox_waiting))
        if backlog.outbox_parked:
            yield Finding("outbox_parked", service=service, detail=str(backlog.outbox_parked))
        if backlog.consumer_pending:
            yield Finding("consumer_pending", service=service, detail=str(backlog.consumer_pending))
        if backlog.deadlines_overdue:
            yield Finding("deadlines_overdue", service=service, detail=str(backlog.deadlines_overdue))


def every_accepted_case_is_in_one_legal_stage(snapshot: Snapshot) -> Iterator[Finding]:
    if "intake" in snapshot.silent:
        return
    held = Counter(case.entity_id for case in snapshot.of("case"))
    for case_id, number in snapshot.events.opened.items():
        if not held[case_id]:
            yield Finding("case_lost", service="intake", entity_id=case_id, case_id=case_id, detail=number)
    for case_id, times in held.items():
        if times > 1:
            yield Finding("case_duplicated", service="intake", entity_id=case_id, case_id=case_id, detail=str(times))
    for case in snapshot.of("case"):
        if case.state not in STAGES:
            yield _about(case, "stage_illegal", "intake", case.state)


def no_owner_sees_a_problem(snapshot: Snapshot) -> Iterator[Finding]:
    """Whether the right clocks run is for the owner to say: it alone knows which one was paused, or has been missed."""
    for facts in snapshot.facts.values():
        for fact in facts:
            for problem in fact.problems:
                yield _about(fact, "owner_problem", fact.service, problem)


def every_event_took_effect(snapshot: Snapshot) -> Iterator[Finding]:
    # What ended among the dead letters is named there, once; what was discarded shall have no effect.
    given_up = {(letter.service, letter.event_id) for letter in (*snapshot.dead_letters, *snapshot.discarded)}
    for event in snapshot.events.unhandled:
        if (event.service, event.event_id) not in given_up:
            yield Finding(
                "event_unhandled",
                service=event.service,
                entity_id=event.event_id,
                case_id=event.case_id,
                detail=event.subject,
            )


def no_letter_is_dead(snapshot: Snapshot) -> Iterator[Finding]:
    for letter in snapshot.dead_letters:
        yield Finding(
            "dead_letter",
            service=letter.service,
            entity_id=letter.letter_id,
            case_id=letter.case_id,
            detail=both(letter.subject, letter.reason),
        )


def every_closed_case_has_one_record(snapshot: Snapshot) -> Iterator[Finding]:
    """And so has every closed complaint: records files both by their own ids."""
    if {"intake", "complaints", "records"} & snapshot.silent.keys():
        return
    filed = Counter(record.case_id for record in snapshot.of("record"))
    closable = [("intake", case) for case in snapshot.of("case")] + [
        ("complaints", each) for each in snapshot.of("complaint")
    ]
    stages = {fact.entity_id: fact.state for _, fact in closable}
    for owner, fact in closable:
        if fact.state in RECORDED_STAGES and not filed[fact.entity_id]:
            yield _about(fact, "record_missing", "records", fact.state)
        if fact.state == "closed" and filed[fact.entity_id]:
            yield _about(fact, "archiving_stuck", owner, fact.state)
    for case_id, count in filed.items():
        if count > 1:
            yield Finding("record_duplicated", service="records", entity_id=case_id, case_id=case_id, detail=str(count))
        if case_id not in stages:
            yield Finding("record_without_case", service="records", entity_id=case_id, case_id=case_id)
        elif stages[case_id] not in RECORDED_STAGES:
            yield Finding(
                "record_too_early", service="records", entity_id=case_id, case_id=case_id, detail=stages[case_id]
            )


def every_complaint_agrees_with_its_case(snapshot: Snapshot) -> Iterator[Finding]:
    """What intake handed over is there, and while complaints works on it, the case waits for it."""
    if {"intake", "complaints"} & snapshot.silent.keys():
        return
    stages = {case.entity_id: case.state for case in snapshot.of("case")}
    known = {complaint.entity_id for complaint in snapshot.of("complaint")}
    for complaint_id, case_id in snapshot.events.complaints_asked.items():
        if complaint_id not in known:
            yield Finding("complaint_lost", service="complaints", entity_id=complaint_id, case_id=case_id)
    for complaint in snapshot.of("complaint"):
        if complaint.state not in COMPLAINT_STAGES:
            yield _about(complaint, "stage_illegal", "complaints", complaint.state)
        elif complaint.case_id and complaint.case_id not in stages:
            yield _about(complaint, "complaint_without_case", "complaints", complaint.state)
        elif complaint.case_id and complaint.state in UNSETTLED_STAGES:
            stage = stages[complaint.case_id]
            if stage not in WAITING_STAGES:
                yield _about(complaint, "complaint_disagrees", "complaints", both(stage, complaint.state))


def every_work_order_belongs_to_its_case(snapshot: Snapshot) -> Iterator[Finding]:
    if {"intake", "complaints", "dispatch"} & snapshot.silent.keys():
        return
    # Complaints ask for work orders too, by their own ids.
    stages = {fact.entity_id: fact.state for fact in (*snapshot.of("case"), *snapshot.of("complaint"))}
    known = {order.entity_id for order in snapshot.of("work_order")}
    # Nobody misses one that was discarded, once what asked for it has ended in another way.
    given_up = {letter.entity_id for letter in snapshot.discarded if stages.get(letter.case_id) in RECORDED_STAGES}
    for order_id, case_id in snapshot.events.work_orders_asked.items():
        if order_id not in known | given_up:
            yield Finding("work_order_lost", service="dispatch", entity_id=order_id, case_id=case_id)
    for order in snapshot.of("work_order"):
        if order.state not in WORK_ORDER_STATES:
            yield _about(order, "state_illegal", "dispatch", order.state)
        elif order.case_id not in stages:
            yield _about(order, "work_order_without_case", "dispatch", order.state)
        elif order.state not in ENDED_STATES:
            stage = stages[order.case_id]
            if order.state not in AGREEING_STATES.get(stage, ()):
                yield _about(order, "work_order_disagrees", "dispatch", both(stage, order.state))


def no_case_has_two_open_work_orders(snapshot: Snapshot) -> Iterator[Finding]:
    unfinished = sorted(
        (order for order in snapshot.of("work_order") if order.state not in ENDED_STATES),
        key=lambda order: order.case_id,
    )
    for case_id, orders in groupby(unfinished, key=lambda order: order.case_id):
        count = len(list(orders))
        if count > 1:
            yield Finding("work_orders_many", service="dispatch", entity_id=case_id, case_id=case_id, detail=str(count))


def every_appointment_rests_on_one_booked_slot(snapshot: Snapshot) -> Iterator[Finding]:
    """What the customer was promised is what dispatch has planned for, neither more nor less."""
    if {"intake", "dispatch"} & snapshot.silent.keys():
        return
    booked = Counter(each.case_id for each in snapshot.of("reservation") if each.state == "booked")
    confirmed = set()
    for appointment in snapshot.of("appointment"):
        if appointment.state == "initialized":
            yield _about(appointment, "appointment_unanswered", "intake", appointment.state)
        elif appointment.state == "confirmed":
            confirmed.add(appointment.case_id)
            if booked[appointment.case_id] != 1:
                yield _about(appointment, "appointment_without_slot", "dispatch", str(booked[appointment.case_id]))
    for reservation in snapshot.of("reservation"):
        if reservation.state == "booked" and reservation.case_id not in confirmed:
            yield _about(reservation, "slot_without_appointment", "intake", reservation.state)


def every_running_exam_has_its_clock(snapshot: Snapshot) -> Iterator[Finding]:
    """Without it, the attempt would never end."""
    for attempt in snapshot.of("attempt"):
        if attempt.state == "running" and EXAM_CLOCK not in attempt.running_clocks:
            yield _about(attempt, "exam_without_clock", "training", EXAM_CLOCK)


def every_certificate_is_known_to_dispatch(snapshot: Snapshot) -> Iterator[Finding]:
    """Whoever is certified may be sent, and nobody else: both sides must know the same."""
    if {"training", "dispatch"} & snapshot.silent.keys():
        return
    known = {certificate.entity_id: certificate.state for certificate in snapshot.of("known_certificate")}
    for certificate in snapshot.of("certificate"):
        there = known.pop(certificate.entity_id, "unknown")
        if there != certificate.state:
            yield _about(certificate, "certificate_disagrees", "dispatch", both(certificate.state, there))
    for certificate_id, state in known.items():
        yield Finding("certificate_invented", service="dispatch", entity_id=certificate_id, detail=state)


def every_breach_has_its_improvement(snapshot: Snapshot) -> Iterator[Finding]:
    """A figure in breach is being improved: quality and complaints know the same of each improvement (QLT-03)."""
    if {"quality", "complaints"} & snapshot.silent.keys():
        return
    known = {improvement.entity_id: improvement.state for improvement in snapshot.of("alert_improvement")}
    for alert in snapshot.of("alert"):
        there = known.pop(alert.entity_id, WITHOUT_IMPROVEMENT)
        if there != alert.state:
            yield _about(alert, "improvement_disagrees", "complaints", both(alert.state, there))
    for alert_id, state in known.items():
        yield Finding("improvement_invented", service="complaints", entity_id=alert_id, detail=state)


def every_incident_is_known_to_intake(snapshot: Snapshot) -> Iterator[Finding]:
    """What dispatch commands, cases wait for: both sides must know the same, and what was asked for must be there."""
    if {"intake", "dispatch"} & snapshot.silent.keys():
        return
    known = {incident.entity_id: incident.state for incident in snapshot.of("known_incident")}
    for incident in snapshot.of("incident"):
        there = known.pop(incident.entity_id, "unknown")
        if there != INCIDENTS_AS_KNOWN[incident.state]:
            yield _about(incident, "incident_disagrees", "intake", both(incident.state, there))
    for incident_id, state in known.items():
        if state != "joined":  # what was asked for and joined another never was one
            yield Finding("incident_lost", service="dispatch", entity_id=incident_id, detail=state)


def _about(fact: EntityFact, code: str, service: str, detail: str) -> Finding:
    return Finding(code, service=service, entity_id=fact.entity_id, case_id=fact.case_id, detail=detail)


RULES = (
    every_part_answers,
    every_backlog_is_worked_off,
    every_accepted_case_is_in_one_legal_stage,
    no_owner_sees_a_problem,
    every_event_took_effect,
    no_letter_is_dead,
    every_closed_case_has_one_record,
    every_complaint_agrees_with_its_case,
    every_work_order_belongs_to_its_case,
    no_case_has_two_open_work_orders,
    every_appointment_rests_on_one_booked_slot,
    every_running_exam_has_its_clock,
    every_certificate_is_known_to_dispatch,
    every_breach_has_its_improvement,
    every_incident_is_known_to_intake,
)

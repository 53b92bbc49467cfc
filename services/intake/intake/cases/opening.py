"""Accepting requests: many at a time in one transaction, each exactly once, duplicates joined (INT-01, INT-14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from servicekit.customerkeys import seal
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.moments import CHINA_TIME

from intake.cases import rules, store, texts
from intake.cases.case import Case
from intake.cases.duplicates import Earlier, Verdict, Windows, compare
from intake.cases.reports import Report, open_case
from intake.cases.tables import CASE_NUMBERS
from intake.cases.texts import JOINED_REPORT, Text
from intake.customers.callers import Caller, find_callers
from intake.customers.store import key_of
from intake.customers.tables import Customer
from intake.desk import Desk
from intake.outages.detection import watch_for_outages
from intake.outages.rules import MassRule
from servicekit import casenumbers, deadlines

KEY_SCOPE = "open_case"


@dataclass(frozen=True)
class Opened:
    """What came of a report: a case of its own, or the open one that it joined."""

    case: Case
    clocks: Sequence[Clock]
    customer: Customer
    joined: bool


@dataclass(frozen=True)
class _Accepted:
    report: Report
    customer: Customer


@dataclass(frozen=True)
class _Done:
    """What a transaction has done for the reports that are new."""

    cases: dict[UUID, Case]
    # Of reports that joined, the case of each.
    joined: dict[UUID, UUID]
    # By case id, for cases that were opened and left as they are; those of others are looked up.
    clocks: dict[str, list[Clock]]


async def open_cases(tx: UnitOfWork, desk: Desk, reports: Sequence[Report]) -> list[Opened | Fault]:
    """Answers every report in order. A report whose key was used before gets the case that came of it then.

    Raises Fault("idempotency_key_reused") when one of the keys came with another content; a report that is alone in
    its transaction is thereby answered.
    """
    callers = await find_callers(tx, desk.sealer, [_caller(report) for report in reports])
    accepted = [
        _Accepted(report, customer)
        for report, customer in zip(reports, callers, strict=True)
        if not isinstance(customer, Fault)
    ]
    ids = await _claim(tx, desk, [each.report for each in accepted])
    fresh = [each for each in accepted if ids[each.report.report_id] == each.report.report_id]
    repeated = set(ids.values()) - {each.report.report_id for each in fresh}
    done = await _open_or_join(tx, desk, fresh)
    joined = done.joined | await texts.joined_by(tx, repeated)
    targets = {report_id: joined.get(done_as, done_as) for report_id, done_as in ids.items()}
    cases = done.cases | await store.find_many(tx, set(targets.values()) - done.cases.keys())
    others = {str(case_id) for case_id in cases} - done.clocks.keys()
    clocks = done.clocks | await deadlines.of(tx, others)
    return [
        customer
        if isinstance(customer, Fault)
        else Opened(
            case=cases[targets[report.report_id]],
            clocks=clocks[str(targets[report.report_id])],
            customer=customer,
            joined=ids[report.report_id] in joined,
        )
        for report, customer in zip(reports, callers, strict=True)
    ]


async def _claim(tx: UnitOfWork, desk: Desk, reports: Sequence[Report]) -> dict[UUID, UUID]:
    """For each report the id under which it was or will be done: its own, unless its key was used before."""
    claims: dict[str, tuple[bytes, UUID]] = {}
    for report in reports:
        offer = (report.fingerprint, report.report_id)
        fingerprint, _ = claims.setdefault(_key(report), offer) if report.idempotency_key else offer
        if fingerprint != report.fingerprint:
            raise Fault("idempotency_key_reused", field="idempotency_key", key=report.idempotency_key)
    kept = {key: (desk.sealer.digest(fingerprint), new_id) for key, (fingerprint, new_id) in claims.items()}
    claimed = await tx.claim_keys(KEY_SCOPE, kept)
    return {report.report_id: claimed.get(_key(report), report.report_id) for report in reports}


def _key(report: Report) -> str:
    """A key belongs to its caller: two of them may choose the same."""
    return f"{len(report.principal.user_id)}:{report.principal.user_id}:{report.idempotency_key}"


async def _open_or_join(tx: UnitOfWork, desk: Desk, fresh: Sequence[_Accepted]) -> _Done:
    """Opens new cases and joins the others."""
    if not fresh:
        return _Done({}, {}, {})
    windows = Windows(
        join_open=desk.standards.windows["duplicate"].length, link_closed=desk.standards.windows["repeat"].length
    )
    earlier = await store.recent_of(tx, {each.customer.customer_id for each in fresh}, windows)
    joined: dict[UUID, UUID] = {}
    own: list[tuple[_Accepted, UUID | None]] = []
    for each in fresh:
        report, known = each.report, earlier[each.customer.customer_id]
        visible = [case for case in known if report.principal.is_customer or report.principal.may_see(case.region)]
        # A guess is no evidence that it is the same problem.
        known_problem = report.proposal.confidence > 0
        verdict = (
            compare(report.proposal.kind, report.proposal.category, tx.now, visible, windows)
            if known_problem
            else Verdict()
        )
        if verdict.joins is not None:
            joined[report.report_id] = verdict.joins
        else:
            own.append((each, verdict.repeat_of))
            known.append(Earlier.of_new(report.report_id, report.region, report.proposal, tx.now))
    cases, clocks = await _open(tx, desk, own) if own else ({}, {})
    joining = [each for each in fresh if each.report.report_id in joined]
    changed = await _join(tx, desk, joining, joined)
    await watch_for_outages(tx, MassRule.of(desk.standards), cases.values())
    for case_id in changed:
        clocks.pop(str(case_id), None)
    return _Done(cases | changed, joined, clocks)


async def _open(
    tx: UnitOfWork, desk: Desk, own: Sequence[tuple[_Accepted, UUID | None]]
) -> tuple[dict[UUID, Case], dict[str, list[Clock]]]:
    """The cases by id, and the clocks that run for them."""
    serials = await casenumbers.serials(tx, CASE_NUMBERS, len(own))
    day = tx.now.astimezone(CHINA_TIME).date()
    opened = []
    for (each, repeat_of), serial in zip(own, serials, strict=True):
        report, key = each.report, key_of(each.customer)
        step = open_case(
            report,
            tx.now,
            case_number=casenumbers.issue("", day, serial),
            customer_id=each.customer.customer_id,
            sealed_subject=seal(desk.sealer, key, report.subject),
            sealed_description=seal(desk.sealer, key, report.description),
            repeat_of=repeat_of,
            standards=desk.standards,
        )
        opened.append((step, report.principal.actor, report.traceparent))
    clocks = await store.add(tx, opened)
    return {step.after.case_id: step.after for step, _, _ in opened}, clocks


async def _join(
    tx: UnitOfWork, desk: Desk, joining: Sequence[_Accepted], joined: Mapping[UUID, UUID]
) -> dict[UUID, Case]:
    cases = await store.lock_many(tx, joined.values()) if joining else {}
    for each in joining:
        report, case = each.report, cases[joined[each.report.report_id]]
        actor = report.principal.actor
        steps = rules.join_report(case, tx.now, channel=report.channel)
        cases[case.case_id] = await store.save(tx, case, *steps, actor=actor, traceparent=report.traceparent)
        text = Text(
            role=JOINED_REPORT,
            text=f"{report.subject}\n{report.description}".strip(),
            author=actor,
            channel=report.channel,
            inbound=True,
            text_id=report.report_id,
        )
        await texts.add(tx, desk.sealer, key_of(each.customer), case, [text])
    return cases


def _caller(report: Report) -> Caller:
    return Caller(
        principal=report.principal,
        customer_id=report.customer_id,
        phone=report.phone,
        name=report.name,
        region=report.region,
        language=report.language,
        traceparent=report.traceparent,
    )

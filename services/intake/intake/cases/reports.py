"""A request as it comes in: checked against the standards, classified, and made the first step of a case. Pure.

(INT-01, INT-02, INT-04, INT-08)
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bihuan.common.v1 import common_pb2
from bihuan.intake.v1 import cases_pb2, events_pb2
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.languages import Language
from standards.models import Region

from intake.cases import steps
from intake.cases.case import Case, Stage
from intake.cases.steps import ClockStart, Step, raised
from intake.fingerprints import fingerprint_of
from intake.proposals import Proposal, Proposer
from standards import Standards


@dataclass(frozen=True)
class Report:
    """A request that can be accepted: every word in it is known, and the caller may make it."""

    # Names the report; the case gets the same id unless the report joins an open one.
    report_id: UUID
    principal: Principal
    idempotency_key: str
    # Digest of everything but the key: tells a repetition from another request under the same key.
    fingerprint: bytes
    traceparent: str
    channel: str
    identity_check: str
    customer_id: UUID | None
    name: str
    phone: str
    region: str
    language: Language
    subject: str
    description: str
    proposal: Proposal
    owner: str


def read_report(
    request: cases_pb2.OpenCaseRequest,
    principal: Principal,
    language: Language,
    *,
    report_id: UUID,
    traceparent: str,
    standards: Standards,
    proposer: Proposer,
) -> Report:
    """Raises Fault for an unknown channel, region, kind or category, a foreign region, somebody else's customer id."""
    _require_known(request, standards)
    customer_id = request.caller.customer_id
    if principal.is_customer:
        if principal.customer_id is None or customer_id not in {"", principal.customer_id}:
            raise Fault("not_yours", field="caller.customer_id")
        customer_id = principal.customer_id
    else:
        principal.require_region(request.region)
    return Report(
        report_id=report_id,
        principal=principal,
        idempotency_key=request.idempotency_key,
        fingerprint=fingerprint_of(request),
        traceparent=traceparent,
        channel=request.channel,
        identity_check=_check_name(request.caller.identity_check),
        customer_id=UUID(customer_id) if customer_id else None,
        name=request.caller.name,
        phone=request.caller.phone,
        region=request.region,
        language="en" if (request.language or language) == "en" else "zh-CN",
        subject=request.subject,
        description=request.description,
        proposal=proposer.propose(
            f"{request.subject}\n{request.description}", kind=request.kind, category=request.category
        ),
        owner=_owner(principal, standards.regions[request.region]),
    )


def open_case(
    report: Report,
    now: datetime,
    *,
    case_number: str,
    customer_id: UUID,
    sealed_subject: bytes,
    sealed_description: bytes,
    repeat_of: UUID | None,
    standards: Standards,
) -> Step:
    """The first step of a case. A repeat of a closed case begins one priority higher (INT-14)."""
    proposal = report.proposal
    priority = standards.urgencies[proposal.urgency].priority
    case = Case(
        case_id=report.report_id,
        case_number=case_number,
        version=1,
        stage=Stage.ACCEPTED,
        customer_id=customer_id,
        channel=report.channel,
        identity_check=report.identity_check,
        region=report.region,
        language=report.language,
        sealed_subject=sealed_subject,
        sealed_description=sealed_description,
        proposed_kind=proposal.kind,
        proposed_category=proposal.category,
        proposed_urgency=proposal.urgency,
        proposed_confidence=proposal.confidence,
        proposed_evidence=list(proposal.evidence),
        kind=proposal.kind,
        category=proposal.category,
        urgency=proposal.urgency,
        response_clock=standards.kinds[proposal.kind].response_clock,
        priority=raised(priority) if repeat_of else priority,
        owner=report.owner,
        repeat_of=repeat_of,
        accepted_at=now,
        stage_entered_at=now,
        stage_entered_by=report.traceparent,
    )
    event = events_pb2.CaseOpened(
        case_id=str(case.case_id),
        case_number=case_number,
        customer_id=str(customer_id),
        channel=report.channel,
        region=report.region,
        proposed=proposed(case),
        priority=case.priority,
        owner=case.owner,
        repeat_of=str(repeat_of or ""),
    )
    return Step(
        after=case,
        happened="case_opened",
        details={"channel": report.channel, "owner": report.owner}
        | ({"repeat_of": str(repeat_of)} if repeat_of else {}),
        starts=(ClockStart(case.response_clock), ClockStart(steps.ASSESSMENT)),
        events=(event,),
    )


def proposed(case: Case) -> cases_pb2.ProposedClassification:
    """What the case was taken for first (INT-04)."""
    return cases_pb2.ProposedClassification(
        classification=cases_pb2.Classification(
            kind=case.proposed_kind, category=case.proposed_category, urgency=case.proposed_urgency
        ),
        confidence=case.proposed_confidence,
        evidence=case.proposed_evidence,
    )


def _owner(principal: Principal, region: Region) -> str:
    """INT-08: whoever takes the case owns it; what nobody took belongs to the region's duty."""
    return principal.user_id if principal.has("agent", "supervisor") else region.duty_owner


def _require_known(request: cases_pb2.OpenCaseRequest, standards: Standards) -> None:
    for field, word, known in (
        ("channel", request.channel, standards.channels),
        ("region", request.region, standards.regions),
        ("kind", request.kind, standards.kinds),
        ("category", request.category, standards.categories),
    ):
        if word not in known and (word or field in {"channel", "region"}):
            raise Fault(f"{field}_unknown", field=field, **{field: word})


def _check_name(check: int) -> str:
    return common_pb2.IdentityCheck.Name(check).removeprefix("IDENTITY_CHECK_").lower()

"""Filing a closed case, and opening a record with a trace of who did: each is one use case in one transaction."""

from dataclasses import dataclass
from datetime import UTC
from uuid import UUID

from bihuan.intake.v1.cases_pb2 import CaseOutcome
from bihuan.intake.v1.events_pb2 import CaseClosed
from bihuan.records.v1 import events_pb2
from servicekit.casenumbers import issue, serials
from servicekit.database import UnitOfWork
from servicekit.deadlines import CHINA_TIME
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from sqlalchemy import insert, select, update

from records.files.content import canonical_content, content_hash, read_content
from records.files.queries import find_record
from records.files.record import Outcome, Record
from records.files.rules import grade_of, missing_from, staff_of
from records.files.tables import ACCESSES, NUMBERS, RECORDS, VERSIONS
from standards import Standards

NUMBER_PREFIX = "R"
SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Opened:
    """A record with the content of its newest version."""

    record: Record
    content: CaseClosed


async def file_case(tx: UnitOfWork, closed: CaseClosed, standards: Standards) -> None:
    """Files a closed case: one record a case, and a new version when the same case is closed again (REC-02).

    The same closing told again, or an older one told late, changes nothing.
    """
    case_id = UUID(closed.case_id)
    row = (await tx.execute(select(RECORDS).where(RECORDS.c.case_id == case_id).with_for_update())).one_or_none()
    before = Record.model_validate(row._asdict()) if row else None
    if before is not None and closed.snapshot.version <= before.case_version:
        return
    content = canonical_content(closed)
    record = await _next_version(tx, before, closed, content_hash(content), standards)
    if before is None:
        await tx.execute(insert(RECORDS), record.model_dump())
    else:
        same_record = RECORDS.c.record_id == record.record_id
        await tx.execute(update(RECORDS).where(same_record).values(record.model_dump()))
    await tx.execute(insert(VERSIONS), {**record.model_dump(include=set(VERSIONS.c.keys())), "content": content})
    filed = events_pb2.RecordFiled(
        record_id=str(record.record_id),
        record_number=record.record_number,
        case_id=closed.case_id,
        version=record.version,
        grade=f"DATA_GRADE_{record.grade.upper()}",
        complete=record.complete,
    )
    tx.emit(filed, version=record.version)


async def open_record(tx: UnitOfWork, reference: str, principal: Principal) -> Opened | Fault:
    """A record with its content. That somebody looked, or was refused, is written down first (REC-09).

    Raises Fault record_unknown; domain_forbidden is returned, because raised it would undo the trace.
    """
    record = await find_record(tx, reference)
    refusal = None if principal.may_see(record.region) else Fault("domain_forbidden", region=record.region)
    await tx.execute(
        insert(ACCESSES),
        {
            "at": tx.now,
            "access_id": uuid7(),
            "user_id": principal.user_id,
            "roles": sorted(principal.roles),
            "record_id": record.record_id,
            "record_number": record.record_number,
            "version": record.version,
            "outcome": refusal.code if refusal else SHOWN,
        },
    )
    if refusal:
        return refusal
    newest = (
        VERSIONS.c.record_id == record.record_id,
        VERSIONS.c.version == record.version,
        VERSIONS.c.filed_at == record.filed_at,
    )
    return Opened(record, read_content(await tx.scalar(select(VERSIONS.c.content).where(*newest))))


async def _next_version(
    tx: UnitOfWork, before: Record | None, closed: CaseClosed, digest: str, standards: Standards
) -> Record:
    if before is None:
        (serial,) = await serials(tx, NUMBERS, 1)
        day = tx.now.astimezone(CHINA_TIME).date()
        record_id, number, version = uuid7(), issue(NUMBER_PREFIX, day, serial), 1
    else:
        record_id, number, version = before.record_id, before.record_number, before.version + 1
    case = closed.snapshot
    return Record(
        record_id=record_id,
        record_number=number,
        version=version,
        case_id=UUID(closed.case_id),
        case_number=case.case_number,
        case_version=case.version,
        grade=grade_of(closed, standards),
        category=case.classification.category,
        kind=case.classification.kind,
        region=case.region,
        customer_id=UUID(case.customer_id) if case.customer_id else None,
        staff=staff_of(closed),
        outcome=Outcome(CaseOutcome.Name(case.outcome).removeprefix("CASE_OUTCOME_").lower()),
        result=case.result,
        satisfaction=case.satisfaction,
        accepted_at=case.accepted_at.ToDatetime(tzinfo=UTC) if case.HasField("accepted_at") else None,
        closed_at=case.closed_at.ToDatetime(tzinfo=UTC) if case.HasField("closed_at") else None,
        filed_at=tx.now,
        missing=missing_from(closed),
        content_hash=digest,
    )

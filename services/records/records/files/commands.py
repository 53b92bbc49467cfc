"""Filing what was closed, and looking it up in the catalogue: each is one use case in one transaction."""

from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1.events_pb2 import CaseClosed
from bihuan.records.v1 import events_pb2
from servicekit.casenumbers import issue, serials
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.moments import CHINA_TIME
from sqlalchemy import insert, select, update

from records.accesses.trail import SHOWN, trace_access
from records.files.catalogue import filed_facts
from records.files.closings import Closing, closing_of
from records.files.content import canonical_content, content_hash
from records.files.queries import find_record
from records.files.record import Record
from records.files.tables import NUMBERS, RECORDS, VERSIONS
from records.log.entries import Kind, enter
from standards import Standards

NUMBER_PREFIX = "R"


async def file_closed(tx: UnitOfWork, closed: CaseClosed | ComplaintClosed, standards: Standards) -> None:
    """Files what was closed: one record each, and a new version when the same is closed again (REC-02).

    The same closing told again, or an older one told late, changes nothing.
    """
    closing = closing_of(closed, standards)
    known = select(RECORDS).where(RECORDS.c.case_id == closing.entity_id).with_for_update()
    row = (await tx.execute(known)).one_or_none()
    before = Record.model_validate(row._asdict()) if row else None
    if before is not None and closing.version <= before.case_version:
        return
    content = canonical_content(closed)
    record = await _next_version(tx, before, closing, content_hash(content))
    if before is None:
        await tx.execute(insert(RECORDS), record.model_dump())
    else:
        same_record = RECORDS.c.record_id == record.record_id
        await tx.execute(update(RECORDS).where(same_record).values(record.model_dump()))
    await tx.execute(insert(VERSIONS), {**record.model_dump(include=set(VERSIONS.c.keys())), "content": content})
    filed = events_pb2.RecordFiled(
        record_id=str(record.record_id),
        record_number=record.record_number,
        case_id=str(record.case_id),
        version=record.version,
        grade=f"DATA_GRADE_{record.grade.upper()}",
        complete=record.complete,
        record_class=record.record_class,
    )
    tx.emit(filed, version=record.version)
    await enter(tx, Kind.RECORD_FILED, filed_facts(record), record_id=record.record_id, version=record.version)


async def look_up(tx: UnitOfWork, reference: str, principal: Principal) -> Record | Fault:
    """A record's entry in the catalogue. That somebody looked, or was refused, is written down first (REC-09).

    Raises Fault record_unknown; domain_forbidden is returned, because raised it would undo the trace.
    """
    record = await find_record(tx, reference)
    refusal = None if principal.may_see(record.region) else Fault("domain_forbidden", region=record.region)
    await trace_access(tx, record, principal, refusal.code if refusal else SHOWN)
    return refusal or record


async def _next_version(tx: UnitOfWork, before: Record | None, closing: Closing, digest: str) -> Record:
    if before is None:
        (serial,) = await serials(tx, NUMBERS, 1)
        day = tx.now.astimezone(CHINA_TIME).date()
        record_id, number, version = uuid7(), issue(NUMBER_PREFIX, day, serial), 1
    else:
        record_id, number, version = before.record_id, before.record_number, before.version + 1
    return Record(
        record_id=record_id,
        record_number=number,
        version=version,
        record_class=closing.record_class,
        case_id=closing.entity_id,
        case_number=closing.number,
        case_version=closing.version,
        grade=closing.grade,
        category=closing.category,
        kind=closing.kind,
        region=closing.region,
        customer_id=closing.customer_id,
        staff=list(closing.staff),
        outcome=closing.outcome,
        result=closing.event.snapshot.result,
        satisfaction=closing.event.snapshot.satisfaction,
        accepted_at=closing.accepted_at,
        closed_at=closing.closed_at,
        filed_at=tx.now,
        missing=list(closing.missing),
        content_hash=digest,
        retention_class=closing.retention_class,
    )

"""Reading the catalogue of records (REC-03: what exists, without content)."""

from uuid import UUID

from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1.events_pb2 import CaseClosed
from servicekit.casenumbers import parse
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import ColumnElement, or_, select

from records.files.content import read_content
from records.files.record import Record
from records.files.tables import RECORDS, VERSIONS


async def find_record(tx: UnitOfWork, reference: str) -> Record:
    """By record id, record number, case id or case number. Raises Fault record_unknown or case_number_invalid."""
    row = (await tx.execute(select(RECORDS).where(_names(reference)))).one_or_none()
    if row is None:
        raise Fault("record_unknown")
    return Record.model_validate(row._asdict())


async def lock_record(tx: UnitOfWork, record_id: UUID) -> Record:
    """By its id, for this transaction alone. Raises Fault record_unknown."""
    row = (await tx.execute(select(RECORDS).where(RECORDS.c.record_id == record_id).with_for_update())).one_or_none()
    if row is None:
        raise Fault("record_unknown")
    return Record.model_validate(row._asdict())


async def read_version(tx: UnitOfWork, record: Record) -> CaseClosed | ComplaintClosed:
    """The content of the record's newest version. Raises Fault record_unknown when somebody took it away."""
    newest = (
        VERSIONS.c.record_id == record.record_id,
        VERSIONS.c.version == record.version,
        VERSIONS.c.filed_at == record.filed_at,
    )
    content = await tx.scalar(select(VERSIONS.c.content).where(*newest))
    if content is None:
        raise Fault("record_unknown")
    return read_content(content, record.record_class)


async def list_records(
    tx: UnitOfWork,
    principal: Principal,
    *,
    category: str,
    region: str,
    customer_id: UUID | None,
    record_class: str = "",
    destroyable: ColumnElement[bool] | None = None,
    before: UUID | None,
    limit: int,
) -> list[Record]:
    """Records of the caller's domain, newest first by id; empty filters let everything through. `destroyable`: see
    `records.retention.queries`."""
    columns = RECORDS.c
    conditions = [lies_in(columns.region, principal.domain)]
    if category:
        conditions.append(columns.category == category)
    if region:
        conditions.append(lies_in(columns.region, region))
    if customer_id is not None:
        conditions.append(columns.customer_id == customer_id)
    if record_class:
        conditions.append(columns.record_class == record_class)
    if destroyable is not None:
        conditions.append(destroyable)
    if before is not None:
        conditions.append(columns.record_id < before)
    statement = select(RECORDS).where(*conditions).order_by(columns.record_id.desc()).limit(limit)
    return [Record.model_validate(row._asdict()) for row in await tx.execute(statement)]


def _names(reference: str) -> ColumnElement[bool]:
    columns = RECORDS.c
    try:
        named = UUID(reference)
    except ValueError:
        number = parse(reference, field="record")
        return or_(columns.record_number == number, columns.case_number == number)
    return or_(columns.record_id == named, columns.case_id == named)

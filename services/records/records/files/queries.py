"""Reading the catalogue of records (REC-03: what exists, without content)."""

from uuid import UUID

from servicekit.casenumbers import parse
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import ColumnElement, or_, select

from records.files.record import Record
from records.files.tables import RECORDS


async def find_record(tx: UnitOfWork, reference: str) -> Record:
    """By record id, record number, case id or case number. Raises Fault record_unknown or case_number_invalid."""
    row = (await tx.execute(select(RECORDS).where(_names(reference)))).one_or_none()
    if row is None:
        raise Fault("record_unknown")
    return Record.model_validate(row._asdict())


async def list_records(
    tx: UnitOfWork,
    principal: Principal,
    *,
    category: str,
    region: str,
    customer_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Record]:
    """Records of the caller's domain, newest first by id; empty filters let everything through."""
    columns = RECORDS.c
    conditions = [lies_in(columns.region, principal.domain)]
    if category:
        conditions.append(columns.category == category)
    if region:
        conditions.append(lies_in(columns.region, region))
    if customer_id is not None:
        conditions.append(columns.customer_id == customer_id)
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

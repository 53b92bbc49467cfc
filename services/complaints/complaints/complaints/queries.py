"""Reading complaints, as much of them as the reader may know."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from bihuan.complaints.v1 import complaint_service_pb2, complaints_pb2
from servicekit.customerkeys import readable, readable_text
from servicekit.customertexts import change_texts
from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from servicekit.languages import Language
from servicekit.regions import lies_in
from sqlalchemy import desc, func, or_, select

from complaints.causes import CAUSES, path_to
from complaints.complainants import KEYS
from complaints.complaints import store, texts
from complaints.complaints.access import may_read_words, require_visible
from complaints.complaints.belongings import belongings_of
from complaints.complaints.complaint import Complaint, Stage
from complaints.complaints.messages import complaint_message, history_message
from complaints.complaints.tables import COMPLAINTS, HISTORY
from complaints.desk import Desk
from servicekit import deadlines


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed down to; empty ones let everything through."""

    stage: Stage | None = None
    customer_id: UUID | None = None
    region: str = ""
    responsible: str = ""
    complaint_class: str = ""
    severity: str = ""


async def find_visible(tx: UnitOfWork, principal: Principal, reference: str) -> Complaint:
    """Raises Fault complaint_unknown or domain_forbidden."""
    complaint = await store.find(tx, reference)
    require_visible(complaint, principal, reference)
    return complaint


async def show(tx: UnitOfWork, desk: Desk, principal: Principal, complaint: Complaint) -> complaints_pb2.Complaint:
    """One complaint with everything that belongs to it, in clear."""
    subject = str(complaint.complaint_id)
    message = complaint_message(complaint, (await deadlines.of(tx, [subject]))[subject])
    (await belongings_of(tx, complaint)).add_to(message)
    key = (await KEYS.find(tx, [complaint.customer_id])).get(complaint.customer_id)
    change_texts(message, partial(readable_text, desk.sealer, key))
    if may_read_words(principal):
        message.subject = readable(desk.sealer, key, complaint.sealed_subject)
        message.description = readable(desk.sealer, key, complaint.sealed_description)
    return message


async def list_complaints(
    tx: UnitOfWork, desk: Desk, principal: Principal, filters: Filters, *, before: UUID | None, limit: int
) -> Sequence[complaints_pb2.Complaint]:
    """Newest first; customers see their own, everybody else those of their domain. Without words and belongings."""
    columns = COMPLAINTS.c
    if principal.is_customer:
        conditions = [columns.customer_id == UUID(principal.customer_id or "")]
    else:
        conditions = [lies_in(columns.region, principal.domain)]
    if filters.stage is not None:
        conditions.append(columns.stage == filters.stage)
    if filters.customer_id is not None:
        conditions.append(columns.customer_id == filters.customer_id)
    if filters.region:
        conditions.append(lies_in(columns.region, filters.region))
    if filters.responsible:
        conditions.append(or_(columns.owner == filters.responsible, columns.handler == filters.responsible))
    if filters.complaint_class:
        conditions.append(columns.complaint_class == filters.complaint_class)
    if filters.severity:
        conditions.append(columns.severity == filters.severity)
    if before is not None:
        conditions.append(columns.complaint_id < before)
    statement = select(COMPLAINTS).where(*conditions).order_by(columns.complaint_id.desc()).limit(limit)
    found = [store.complaint_of(row) for row in await tx.execute(statement)]
    clocks = await deadlines.of(tx, [str(each.complaint_id) for each in found])
    keys = await KEYS.find(tx, {each.customer_id for each in found})
    messages = []
    for each in found:
        message = complaint_message(each, clocks[str(each.complaint_id)])
        change_texts(message, partial(readable_text, desk.sealer, keys.get(each.customer_id)))
        messages.append(message)
    return messages


async def history_of(tx: UnitOfWork, complaint: Complaint) -> list[complaints_pb2.ComplaintHistoryEntry]:
    """Oldest first."""
    statement = (
        select(HISTORY)
        .where(HISTORY.c.complaint_id == complaint.complaint_id, HISTORY.c.at >= complaint.accepted_at)
        .order_by(HISTORY.c.at, HISTORY.c.entry_id)
    )
    return [history_message(row) for row in await tx.execute(statement)]


async def contacts_of(tx: UnitOfWork, desk: Desk, complaint: Complaint) -> list[complaints_pb2.Contact]:
    """The communication log, oldest first (CMP-05)."""
    key = (await KEYS.find(tx, [complaint.customer_id])).get(complaint.customer_id)
    return [
        complaints_pb2.Contact(
            at=row.at,
            channel=row.channel,
            inbound=row.inbound,
            author=row.author,
            role=row.role,
            text=readable(desk.sealer, key, row.sealed),
        )
        for row in await texts.of(tx, complaint)
    ]


async def group_causes(
    tx: UnitOfWork, desk: Desk, principal: Principal, *, region: str, language: Language
) -> list[complaint_service_pb2.CauseGroup]:
    """Complaints of the window with the same cause, most frequent first (CMP-07)."""
    tree = desk.standards.classes.complaint_causes
    count, newest = func.count().label("complaints"), func.max(CAUSES.c.analysed_at).label("newest_at")
    statement = (
        select(CAUSES.c.cause, count, newest)
        .where(
            CAUSES.c.analysed_at >= tx.now - desk.standards.windows["repeated_cause"].length,
            lies_in(CAUSES.c.region, principal.domain),
            lies_in(CAUSES.c.region, region),
        )
        .group_by(CAUSES.c.cause)
        .order_by(desc("complaints"), CAUSES.c.cause)
    )
    hot_from = desk.standards.thresholds["repeated_cause_count"].value
    return [
        complaint_service_pb2.CauseGroup(
            cause=row.cause,
            # A cause that the standards no longer have stands for itself.
            path=[tree[each].label[language] for each in path_to(row.cause, tree)]
            if row.cause in tree
            else [row.cause],
            complaints=row.complaints,
            newest_at=row.newest_at,
            hot=row.complaints >= hot_from,
        )
        for row in await tx.execute(statement)
    ]

"""What the customer gets: repair, refund, data-package compensation, apology; limits by role (CMP-04). Pure."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from bihuan.complaints.v1 import complaints_pb2, events_pb2
from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from sqlalchemy import Text
from sqlmodel import Field, SQLModel
from standards.models import ComplaintRemedy

from complaints.complaints.complaint import Complaint, Stage
from complaints.complaints.steps import Step, changed, ids_of, require_stage


class RemedyRow(SQLModel, table=True):
    """One remedy that was granted."""

    __tablename__ = "remedies"

    remedy_id: UUID = Field(primary_key=True)
    complaint_id: UUID = Field(index=True)
    kind: str = Field(sa_type=Text)
    amount: int
    granted_by: str = Field(sa_type=Text)
    granted_at: datetime = Field(sa_type=UTC_TIME)


REMEDIES = RemedyRow.metadata.tables["remedies"]


def grant(
    complaint: Complaint,
    remedy: RemedyRow,
    *,
    earlier: Iterable[RemedyRow],
    roles: Collection[str],
    kind: ComplaintRemedy,
) -> Step:
    """Grants it within what the caller's roles allow in one complaint, all grants of the kind together.

    Raises Fault("remedy_amount_invalid") for an amount of what has none, or none of what has one, and
    Fault("remedy_over_limit").
    """
    require_stage(complaint, "grant_remedy", Stage.HANDLING)
    if (kind.unit is None) == (remedy.amount > 0):
        raise Fault("remedy_amount_invalid", field="amount", kind=kind.name)
    limits = [limit for role, limit in kind.limits.items() if role in roles]
    total = remedy.amount + sum(each.amount for each in earlier if each.kind == remedy.kind)
    if not limits or total > max(limits):
        raise Fault("remedy_over_limit", field="amount", kind=kind.name, limit=str(max(limits, default=0)))
    event = events_pb2.RemedyGranted(**ids_of(complaint), remedy=remedy_message(remedy))
    return Step(
        after=changed(complaint),
        happened="remedy_granted",
        details={"kind": remedy.kind, "amount": str(remedy.amount)},
        events=(event,),
        rows=(remedy,),
    )


def remedy_message(remedy: RemedyRow) -> complaints_pb2.Remedy:
    return complaints_pb2.Remedy(
        remedy_id=str(remedy.remedy_id),
        kind=remedy.kind,
        amount=remedy.amount,
        granted_by=remedy.granted_by,
        granted_at=remedy.granted_at,
    )

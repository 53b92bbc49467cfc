"""What belongs to a complaint and is stored beside it: remedies, investigations, dispute, cause, improvements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from bihuan.complaints.v1 import complaints_pb2
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import ColumnElement, Table, select
from sqlmodel import SQLModel

from complaints.causes import CAUSES, CauseRow, cause_message
from complaints.complaints.complaint import Complaint
from complaints.disputes import DISPUTES, DisputeRow, dispute_message
from complaints.improvements import IMPROVEMENTS, ImprovementRow, improvement_message
from complaints.investigations import INVESTIGATIONS, InvestigationRow, investigation_message
from complaints.remedies import REMEDIES, RemedyRow, remedy_message

RowT = TypeVar("RowT", bound=SQLModel)


@dataclass(frozen=True, slots=True)
class Belongings:
    """Each in the order in which it came."""

    remedies: Sequence[RemedyRow]
    investigations: Sequence[InvestigationRow]
    dispute: Sequence[DisputeRow]
    cause: CauseRow | None
    improvements: Sequence[ImprovementRow]

    def improvement(self, improvement_id: UUID) -> ImprovementRow:
        """Raises Fault("improvement_unknown")."""
        for each in self.improvements:
            if each.improvement_id == improvement_id:
                return each
        raise Fault("improvement_unknown")

    def add_to(self, message: complaints_pb2.Complaint) -> None:
        """Writes everything into the contract's complaint."""
        message.remedies.extend(map(remedy_message, self.remedies))
        message.investigations.extend(map(investigation_message, self.investigations))
        message.dispute.extend(map(dispute_message, self.dispute))
        if self.cause is not None:
            message.cause.CopyFrom(cause_message(self.cause))
        message.improvements.extend(map(improvement_message, self.improvements))


async def belongings_of(tx: UnitOfWork, complaint: Complaint) -> Belongings:
    causes = await _rows(tx, CauseRow, CAUSES, complaint, CAUSES.c.analysed_at)
    return Belongings(
        remedies=await _rows(tx, RemedyRow, REMEDIES, complaint, REMEDIES.c.remedy_id),
        investigations=await _rows(tx, InvestigationRow, INVESTIGATIONS, complaint, INVESTIGATIONS.c.investigation_id),
        dispute=await _rows(tx, DisputeRow, DISPUTES, complaint, DISPUTES.c.opened_at),
        cause=causes[0] if causes else None,
        improvements=await _rows(tx, ImprovementRow, IMPROVEMENTS, complaint, IMPROVEMENTS.c.improvement_id),
    )


async def find_investigation(tx: UnitOfWork, work_order_id: UUID) -> InvestigationRow | None:
    """The investigation that waits for this work order."""
    statement = select(INVESTIGATIONS).where(INVESTIGATIONS.c.work_order_id == work_order_id)
    row = (await tx.execute(statement)).one_or_none()
    return InvestigationRow(**row._asdict()) if row else None


async def _rows(
    tx: UnitOfWork, kind: type[RowT], table: Table, complaint: Complaint, order: ColumnElement[Any]
) -> list[RowT]:
    statement = select(table).where(table.c.complaint_id == complaint.complaint_id).order_by(order)
    return [kind(**row._asdict()) for row in await tx.execute(statement)]

"""Root causes: a 5-whys chain that ends in a leaf of the cause tree, and how often the same one was found (CMP-07)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from bihuan.complaints.v1 import complaints_pb2, events_pb2
from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from sqlalchemy import ARRAY, Index, Text, Uuid
from sqlmodel import Field, SQLModel
from standards.models import ComplaintCause

from complaints.complaints.complaint import LEARNING, Complaint
from complaints.complaints.steps import Step, changed, ids_of, require_stage


class CauseRow(SQLModel, table=True):
    """Why one complaint came about."""

    __tablename__ = "causes"
    __table_args__ = (Index("causes_by_cause", "cause", "analysed_at"),)

    complaint_id: UUID = Field(primary_key=True)
    cause: str = Field(sa_type=Text)
    path: list[str] = Field(sa_type=ARRAY(Text))
    whys: list[str] = Field(sa_type=ARRAY(Text))
    clause: str = Field(sa_type=Text)
    case_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    work_order_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    # User ids of the people concerned.
    people: list[str] = Field(sa_type=ARRAY(Text))
    region: str = Field(sa_type=Text)
    analysed_by: str = Field(sa_type=Text)
    analysed_at: datetime = Field(sa_type=UTC_TIME)


CAUSES = CauseRow.metadata.tables["causes"]


def path_to(cause: str, tree: Mapping[str, ComplaintCause]) -> list[str]:
    """From the root of the cause tree to the cause, which must be a leaf.

    Raises Fault("cause_unknown") for what is not in the tree, and for a branch: it does not say why.
    """
    if cause not in tree or any(node.under == cause for node in tree.values()):
        raise Fault("cause_unknown", field="cause", cause=cause)
    path = [cause]
    while (above := tree[path[0]].under) is not None:
        path.insert(0, above)
    return path


def analyse(complaint: Complaint, cause: CauseRow, *, found_before: int, hot_from: int) -> Step:
    """Keeps the analysis; a later one replaces it.

    `found_before`: how many other complaints of the window have the same cause. With `hot_from` of them, this one
    included, the cause is announced as a hot spot.
    """
    require_stage(complaint, "analyse_cause", *LEARNING)
    ids = {**ids_of(complaint), "cause": cause.cause, "region": cause.region}
    found = events_pb2.CauseFound(**ids)
    count = found_before + 1
    repeated = (events_pb2.CauseRepeated(**ids, count=count),) if count >= hot_from else ()
    return Step(
        after=changed(complaint),
        happened="cause_analysed",
        details={"cause": cause.cause, "clause": cause.clause, "count": str(count)},
        events=(found, *repeated),
        rows=(cause,),
    )


def cause_message(row: CauseRow) -> complaints_pb2.Cause:
    return complaints_pb2.Cause(
        cause=row.cause,
        path=row.path,
        whys=row.whys,
        clause=row.clause,
        case_ids=map(str, row.case_ids),
        work_order_ids=map(str, row.work_order_ids),
        people=row.people,
        analysed_by=row.analysed_by,
        analysed_at=row.analysed_at,
    )

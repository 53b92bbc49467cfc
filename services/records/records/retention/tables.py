"""Where holds and destructions are stored."""

from sqlalchemy import Index

from records.retention.destruction import Destruction
from records.retention.hold import Hold


class HoldRow(Hold, table=True):
    """One hold."""

    __tablename__ = "record_holds"
    __table_args__ = (Index("holds_of_record", "record_id", "hold_id"),)


class DestructionRow(Destruction, table=True):
    """One destruction."""

    __tablename__ = "record_destructions"
    __table_args__ = (Index("destructions_by_state", "state", "destruction_id"),)


HOLDS = HoldRow.__table__  # type: ignore[attr-defined]
DESTRUCTIONS = DestructionRow.__table__  # type: ignore[attr-defined]

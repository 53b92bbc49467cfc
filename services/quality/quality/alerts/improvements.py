"""What complaints tells of the improvements that breaches opened (QLT-05)."""

from uuid import UUID

from bihuan.complaints.v1.complaints_pb2 import ImprovementState
from bihuan.complaints.v1.events_pb2 import IndicatorImprovementChanged
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import exists, select, update

from quality.alerts.tables import ALERTS

_PREFIX = "IMPROVEMENT_STATE_"


async def note_improvement(tx: UnitOfWork, event: IndicatorImprovementChanged, *, version: int) -> None:
    """Keeps how far the improvement is; what is older than what is known changes nothing.

    Raises Fault improvement_unknown for one that no alert here has opened.
    """
    improvement_id = UUID(event.improvement_id)
    state = ImprovementState.Name(event.state).removeprefix(_PREFIX).lower()
    newer = update(ALERTS).where(ALERTS.c.improvement_id == improvement_id, ALERTS.c.improvement_version < version)
    if (await tx.execute(newer.values(improvement_state=state, improvement_version=version))).rowcount:
        return
    if not await tx.scalar(select(exists().where(ALERTS.c.improvement_id == improvement_id))):
        raise Fault("improvement_unknown")

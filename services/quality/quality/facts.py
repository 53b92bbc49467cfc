"""What quality tells the loop check: every alert with how far its improvement is (QLT-03)."""

from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import select

from quality.alerts.alert import Alert, Level
from quality.alerts.tables import ALERTS

_FIRST = UUID(int=0)
# A warning asks for no improvement.
WARNED = "warned"
UNANSWERED = "unanswered"


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next alerts by id, after the id `after`; empty for the first ones."""
    start = UUID(after) if after else _FIRST
    statement = select(ALERTS).where(ALERTS.c.alert_id > start).order_by(ALERTS.c.alert_id).limit(limit)
    alerts = [Alert.model_validate(dict(row)) for row in (await tx.execute(statement)).mappings()]
    return [
        EntityFact(
            entity="alert",
            entity_id=str(alert.alert_id),
            state=state_of(alert),
            version=alert.version,
            problems=problems_of(alert),
        )
        for alert in alerts
    ]


def state_of(alert: Alert) -> str:
    """The state of its improvement as complaints told it; complaints tells the same of the improvement."""
    return alert.improvement_state or (WARNED if alert.improvement_id is None else UNANSWERED)


def problems_of(alert: Alert) -> list[str]:
    if (alert.level == Level.BREACH) != (alert.improvement_id is not None):
        return [f"an alert of level {alert.level} and its improvement do not go together"]
    return []

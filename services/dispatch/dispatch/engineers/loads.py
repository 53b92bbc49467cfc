"""How much an engineer has to do: the one place where it is changed.

An engineer's load and version change together. Whoever chose an engineer takes them at the version they saw; when two
replicas chose the same one, the second has to look again. So nobody is ever given more than they can take.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import Update, bindparam, select, update

from dispatch.engineers.engineer import Engineer
from dispatch.engineers.tables import ENGINEERS

_ID = ENGINEERS.c.engineer_id == bindparam("id")
_LOCK = select(ENGINEERS).where(_ID).with_for_update()


def _change(load: int, **values: Any) -> Update:
    return (
        update(ENGINEERS)
        .where(_ID)
        .values(open_work_orders=ENGINEERS.c.open_work_orders + load, version=ENGINEERS.c.version + 1, **values)
    )


_TAKE = _change(+1, last_assigned_at=bindparam("now")).where(ENGINEERS.c.version == bindparam("seen_version"))
_RELEASE = _change(-1)


async def lock(tx: UnitOfWork, engineer_id: UUID) -> Engineer:
    """The engineer, for this transaction alone. Raises Fault("engineer_unknown")."""
    row = (await tx.execute(_LOCK, {"id": engineer_id})).one_or_none()
    if row is None:
        raise Fault("engineer_unknown", field="engineer_id")
    return Engineer.model_validate(row._asdict())


async def take(tx: UnitOfWork, engineer: Engineer, now: datetime) -> bool:
    """Counts one more work order for them; False when they have changed since they were read."""
    seen = {"id": engineer.engineer_id, "seen_version": engineer.version, "now": now}
    return (await tx.execute(_TAKE, seen)).rowcount == 1


async def release(tx: UnitOfWork, engineer_id: UUID) -> None:
    """Counts one work order less for them."""
    await tx.execute(_RELEASE, {"id": engineer_id})

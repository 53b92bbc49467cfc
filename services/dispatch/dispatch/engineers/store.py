"""Changing an engineer's row: the one place where shift and load are written.

An engineer's version changes with everything that decides whether they may get work. Whoever chose an engineer takes
them at the version they saw; when two replicas chose the same one, the second has to look again. So nobody is ever
given more than they can take.
"""

from typing import Any
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import bindparam, select, update

from dispatch.engineers.engineer import Engineer
from dispatch.engineers.tables import ENGINEERS

_ID = ENGINEERS.c.engineer_id == bindparam("id")
_LOAD = ENGINEERS.c.open_work_orders
_NEXT_VERSION = ENGINEERS.c.version + 1

_LOCK = select(ENGINEERS).where(_ID).with_for_update()
_CHANGE = update(ENGINEERS).where(_ID).returning(*ENGINEERS.c)
_TAKE = (
    update(ENGINEERS)
    .where(_ID, ENGINEERS.c.version == bindparam("seen_version"))
    .values(version=_NEXT_VERSION, open_work_orders=_LOAD + 1, last_assigned_at=bindparam("now"))
)
_RELEASE = update(ENGINEERS).where(_ID).values(version=_NEXT_VERSION, open_work_orders=_LOAD - 1)


async def lock(tx: UnitOfWork, engineer_id: UUID) -> Engineer:
    """The engineer, for this transaction alone. Raises Fault("engineer_unknown")."""
    row = (await tx.execute(_LOCK, {"id": engineer_id})).one_or_none()
    if row is None:
        raise Fault("engineer_unknown", field="engineer_id")
    return Engineer.model_validate(row._asdict())


async def change(tx: UnitOfWork, engineer: Engineer, **values: Any) -> Engineer:
    """The next version of a locked engineer, with these values; without any, because a qualification changed."""
    changed = await tx.execute(_CHANGE.values(version=_NEXT_VERSION, **values), {"id": engineer.engineer_id})
    return Engineer.model_validate(changed.one()._asdict())


class _Changed(Exception):  # noqa: N818 -- leaves a savepoint, and this file never
    """The engineer is no longer as they were seen."""


async def take(tx: UnitOfWork, engineer: Engineer) -> bool:
    """Counts one more work order for them; False when they have changed since they were read."""
    seen = {"id": engineer.engineer_id, "seen_version": engineer.version, "now": tx.now}
    try:
        # A savepoint, because PostgreSQL keeps a row locked that it has waited for, also when the row no longer fits.
        # Two that go on to each other's engineer would wait for each other.
        async with tx.savepoint():
            if (await tx.execute(_TAKE, seen)).rowcount != 1:
                raise _Changed
    except _Changed:
        return False
    return True


async def release(tx: UnitOfWork, engineer_id: UUID) -> None:
    """Counts one work order less for them."""
    await tx.execute(_RELEASE, {"id": engineer_id})

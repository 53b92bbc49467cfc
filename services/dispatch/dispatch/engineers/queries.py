"""Reading engineers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from servicekit.windows import Window
from sqlalchemy import CursorResult, exists, select

from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.engineers.shift import Shift
from dispatch.engineers.tables import ENGINEERS, QUALIFICATIONS, SHIFTS


@dataclass(frozen=True, slots=True)
class Profile:
    """An engineer with their newest qualification in each skill, and the planned shifts that are not over."""

    engineer: Engineer
    qualifications: dict[str, Qualification]
    shifts: list[Shift]


async def get_engineer(tx: UnitOfWork, engineer_id: UUID) -> Profile:
    """Raises Fault("engineer_unknown")."""
    found = await _profiles(tx, await tx.execute(select(ENGINEERS).where(ENGINEERS.c.engineer_id == engineer_id)))
    if not found:
        raise Fault("engineer_unknown", field="engineer_id")
    return found[0]


async def list_engineers(
    tx: UnitOfWork, principal: Principal, *, territory: str, skill: str, after: UUID | None, limit: int
) -> list[Profile]:
    """Engineers whose territory lies in the caller's domain, by id; empty filters let everything through."""
    statement = select(ENGINEERS).where(lies_in(ENGINEERS.c.territory, principal.domain))
    if territory:
        statement = statement.where(lies_in(ENGINEERS.c.territory, territory))
    if skill:
        held = exists().where(QUALIFICATIONS.c.engineer_id == ENGINEERS.c.engineer_id, QUALIFICATIONS.c.skill == skill)
        statement = statement.where(held)
    if after is not None:
        statement = statement.where(ENGINEERS.c.engineer_id > after)
    return await _profiles(tx, await tx.execute(statement.order_by(ENGINEERS.c.engineer_id).limit(limit)))


async def qualifications_of(tx: UnitOfWork, engineer_ids: Sequence[UUID]) -> dict[UUID, dict[str, Qualification]]:
    """Their qualifications by engineer and skill."""
    found: dict[UUID, dict[str, Qualification]] = {engineer_id: {} for engineer_id in engineer_ids}
    statement = (
        select(QUALIFICATIONS)
        .where(QUALIFICATIONS.c.engineer_id.in_(engineer_ids))
        .order_by(QUALIFICATIONS.c.engineer_id, QUALIFICATIONS.c.skill)
    )
    for row in await tx.execute(statement):
        found[row.engineer_id][row.skill] = Qualification.model_validate(row._asdict())
    return found


async def is_at_work(tx: UnitOfWork, engineer_id: UUID, window: Window) -> bool:
    """A planned shift of theirs covers it."""
    columns = SHIFTS.c
    covers = (columns.starts_at <= window.start) & (columns.ends_at >= window.end)
    return bool(await tx.scalar(select(exists().where(columns.engineer_id == engineer_id, covers))))


async def user_of(tx: UnitOfWork, engineer_id: UUID | None) -> str:
    """The user id that an engineer signs in with; empty for nobody."""
    if engineer_id is None:
        return ""
    return str(await tx.scalar(select(ENGINEERS.c.user_id).where(ENGINEERS.c.engineer_id == engineer_id)))


async def _profiles(tx: UnitOfWork, rows: CursorResult[Any]) -> list[Profile]:
    engineers = [Engineer.model_validate(row._asdict()) for row in rows]
    ids = [engineer.engineer_id for engineer in engineers]
    qualifications, shifts = await qualifications_of(tx, ids), await _shifts_of(tx, ids)
    return [
        Profile(engineer, qualifications[engineer.engineer_id], shifts[engineer.engineer_id]) for engineer in engineers
    ]


async def _shifts_of(tx: UnitOfWork, engineer_ids: Sequence[UUID]) -> dict[UUID, list[Shift]]:
    found: dict[UUID, list[Shift]] = {engineer_id: [] for engineer_id in engineer_ids}
    columns = SHIFTS.c
    statement = select(SHIFTS).where(columns.engineer_id.in_(engineer_ids), columns.ends_at > tx.now)
    for row in await tx.execute(statement.order_by(columns.starts_at)):
        found[row.engineer_id].append(Shift.model_validate(row._asdict()))
    return found

"""Writing a qualification, and taking back the planned work that it no longer covers (DSP-02)."""

from uuid import UUID

from bihuan.dispatch.v1 import events_pb2
from servicekit.database import UnitOfWork
from sqlalchemy.dialects.postgresql import insert

from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.engineers.queries import qualifications_of
from dispatch.engineers.replanning import replan_engineer
from dispatch.engineers.tables import QUALIFICATIONS
from dispatch.work_orders import rules
from dispatch.work_orders.placement import Placement
from dispatch.work_orders.store import lock_not_started_of

_PUT = insert(QUALIFICATIONS)
_PUT_AGAIN = _PUT.on_conflict_do_update(
    index_elements=["engineer_id", "skill"],
    set_={
        name: _PUT.excluded[name] for name in ("level", "valid_until", "revoked", "revoked_reason", "certificate_id")
    },
)


async def put_qualification(tx: UnitOfWork, engineer: Engineer, qualification: Qualification) -> None:
    """The engineer's newest qualification in its skill, told as part of the engineer's present version."""
    row = qualification.model_dump() | {"engineer_id": engineer.engineer_id}
    await tx.execute(_PUT_AGAIN, row)
    changed = events_pb2.EngineerQualificationChanged(
        engineer_id=str(engineer.engineer_id),
        skill=qualification.skill,
        level=qualification.level,
        revoked=qualification.revoked,
    )
    tx.emit(changed, version=engineer.version)


async def give_back_uncovered(
    tx: UnitOfWork, engineer_id: UUID, skill: str, placement: Placement, *, because: str, actor: str
) -> None:
    """What they have not set out for and may no longer do goes to others, appointments too.

    The caller holds the waiting line.
    """
    qualification = (await qualifications_of(tx, [engineer_id]))[engineer_id][skill]
    for order in await lock_not_started_of(tx, engineer_id, skill):
        if not qualification.covers(skill, order.level, ranks=placement.policy.ranks, now=tx.now):
            step = rules.withdraw(order, because=because)
            await placement.pass_on(tx, order, step, actor=actor)
    await replan_engineer(tx, engineer_id, placement, because=because, actor=actor)

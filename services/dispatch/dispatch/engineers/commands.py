"""What is done to engineers, and to their work by it: each function is one use case in one transaction (DSP-02)."""

from collections.abc import Sequence
from uuid import UUID

from bihuan.dispatch.v1 import events_pb2
from servicekit.creation import CreationKey, claim_id
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy.dialects.postgresql import insert

from dispatch.access import require_may_act
from dispatch.engineers import store
from dispatch.engineers.certification import bring_qualifications
from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.engineers.qualifying import give_back_uncovered, put_qualification
from dispatch.engineers.queries import Profile, get_engineer, qualifications_of
from dispatch.engineers.replanning import replan_engineer
from dispatch.engineers.rostering import end_running_shift
from dispatch.engineers.tables import ENGINEERS
from dispatch.policy import Policy
from dispatch.work_orders import rules
from dispatch.work_orders.placement import Placement, hold_waiting_line
from dispatch.work_orders.store import lock_not_started_of

SHIFT_ENDED = "shift_ended"
QUALIFICATION_REVOKED = "qualification_revoked"
QUALIFICATION_LOWERED = "qualification_lowered"

_ADD_ENGINEER = insert(ENGINEERS).on_conflict_do_nothing(index_elements=["user_id"])


async def register_engineer(
    tx: UnitOfWork,
    *,
    display_name: str,
    user_id: str,
    territory: str,
    qualifications: Sequence[Qualification],
    key: CreationKey,
    principal: Principal,
    policy: Policy,
) -> Profile:
    """A new engineer, off shift. The same `key` gives the same engineer again.

    The qualifications' `engineer_id` is filled in here. Raises Fault engineer_exists or idempotency_key_reused.
    """
    policy.require_known(region=territory, field="territory")
    principal.require_region(territory)
    for qualification in qualifications:
        policy.require_known(skill=qualification.skill, level=qualification.level, field="qualifications")
    # So that a certificate which comes at this moment is not missed on both sides.
    await hold_waiting_line(tx)
    engineer_id, new = await claim_id(tx, "register_engineer", key, principal)
    if not new:
        return await get_engineer(tx, engineer_id)
    engineer = Engineer(
        engineer_id=engineer_id,
        version=1,
        display_name=display_name,
        user_id=user_id,
        territory=territory,
        registered_at=tx.now,
    )
    if (await tx.execute(_ADD_ENGINEER, engineer.model_dump())).rowcount != 1:
        raise Fault("engineer_exists", field="user_id")
    tx.emit(events_pb2.EngineerRegistered(engineer_id=str(engineer_id), territory=territory), version=1)
    for qualification in qualifications:
        await put_qualification(tx, engineer, qualification)
    await bring_qualifications(tx, engineer, policy.ranks)
    return await get_engineer(tx, engineer_id)


async def grant_qualification(
    tx: UnitOfWork, engineer_id: UUID, granted: Qualification, *, principal: Principal, placement: Placement
) -> Profile:
    """A new, longer, higher or lower qualification in a skill. It takes up work that waited for it at once."""
    placement.policy.require_known(skill=granted.skill, level=granted.level, field="qualification")
    await hold_waiting_line(tx)
    engineer = await _lock_in_domain(tx, engineer_id, principal)
    await put_qualification(tx, await store.change(tx, engineer), granted)
    await give_back_uncovered(
        tx, engineer_id, granted.skill, placement, because=QUALIFICATION_LOWERED, actor=principal.actor
    )
    await placement.take_up(tx, engineer_id)
    return await get_engineer(tx, engineer_id)


async def revoke_qualification(
    tx: UnitOfWork, engineer_id: UUID, skill: str, *, reason: str, principal: Principal, placement: Placement
) -> Profile:
    """From now on they get no work of this skill, and what they have not set out for goes to others at once.

    Revoking what is already revoked, or was never granted, changes nothing.
    """
    await hold_waiting_line(tx)
    engineer = await _lock_in_domain(tx, engineer_id, principal)
    held = (await qualifications_of(tx, [engineer_id]))[engineer_id].get(skill)
    if held is not None and not held.revoked:
        revoked = held.model_copy(update={"revoked": True, "revoked_reason": reason})
        await put_qualification(tx, await store.change(tx, engineer), revoked)
        await give_back_uncovered(
            tx, engineer_id, skill, placement, because=QUALIFICATION_REVOKED, actor=principal.actor
        )
    return await get_engineer(tx, engineer_id)


async def set_shift(
    tx: UnitOfWork, engineer_id: UUID, *, on_shift: bool, principal: Principal, placement: Placement
) -> Profile:
    """Opens or ends a shift. Opening takes up work that waited; ending gives back what they have not set out for, and
    with the rest of a planned shift the appointments in it."""
    await hold_waiting_line(tx)
    engineer = await store.lock(tx, engineer_id)
    require_may_act(principal, user_id=engineer.user_id, region=engineer.territory)
    if engineer.on_shift != on_shift:
        engineer = await store.change(tx, engineer, on_shift=on_shift)
        tx.emit(
            events_pb2.EngineerShiftChanged(engineer_id=str(engineer_id), on_shift=on_shift), version=engineer.version
        )
        if on_shift:
            await placement.take_up(tx, engineer_id)
        else:
            await end_running_shift(tx, engineer_id)
            for order in await lock_not_started_of(tx, engineer_id):
                step = rules.withdraw(order, because=SHIFT_ENDED)
                await placement.pass_on(tx, order, step, actor=principal.actor)
            await replan_engineer(tx, engineer_id, placement, because=SHIFT_ENDED, actor=principal.actor)
    return await get_engineer(tx, engineer_id)


async def _lock_in_domain(tx: UnitOfWork, engineer_id: UUID, principal: Principal) -> Engineer:
    engineer = await store.lock(tx, engineer_id)
    principal.require_region(engineer.territory)
    return engineer

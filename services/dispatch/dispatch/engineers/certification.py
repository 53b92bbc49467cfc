"""What a certificate does to its holder's work, from the moment that training tells of it (DSP-02, TRN-05).

Certificates are kept also of people who are no engineers yet: registered later, they bring their qualifications.
"""

from collections.abc import Mapping
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from sqlalchemy import insert, select, update

from dispatch.engineers import store
from dispatch.engineers.certificate import Certificate, State, best_of, improves
from dispatch.engineers.engineer import Engineer
from dispatch.engineers.qualifying import give_back_uncovered, put_qualification
from dispatch.engineers.queries import qualifications_of
from dispatch.engineers.tables import CERTIFICATES, ENGINEERS
from dispatch.work_orders.placement import Placement, hold_waiting_line
from dispatch.work_orders.rules import SYSTEM

CERTIFICATE_ENDED = {State.EXPIRED: "certificate_expired", State.REVOKED: "certificate_revoked"}


async def take_certificate(tx: UnitOfWork, certificate: Certificate, placement: Placement) -> None:
    """A new certificate. Its holder takes up work that waited for the skill at once.

    Raises Fault skill_unknown or level_unknown.
    """
    placement.policy.require_known(skill=certificate.skill, level=certificate.level)
    await hold_waiting_line(tx)
    await tx.execute(insert(CERTIFICATES), certificate.model_dump())
    engineer = await _lock_holder(tx, certificate.user_id)
    if engineer is None or not certificate.counts(tx.now):
        return
    held = (await qualifications_of(tx, [engineer.engineer_id]))[engineer.engineer_id].get(certificate.skill)
    if improves(certificate, held, ranks=placement.policy.ranks, now=tx.now):
        engineer = await store.change(tx, engineer)
        await put_qualification(tx, engineer, certificate.qualification(engineer.engineer_id))
        await placement.take_up(tx, engineer.engineer_id)


async def end_certificate(tx: UnitOfWork, certificate_id: UUID, state: State, placement: Placement) -> None:
    """It counts no more. Planned work that only it allowed goes to others at once.

    Where the holder has another certificate of the skill, that one takes its place. Raises Fault certificate_unknown.
    """
    await hold_waiting_line(tx)
    this = CERTIFICATES.c.certificate_id == certificate_id
    row = (await tx.execute(update(CERTIFICATES).where(this).values(state=state).returning(*CERTIFICATES.c))).first()
    if row is None:
        raise Fault("certificate_unknown")
    ended = Certificate.model_validate(row._asdict())
    engineer = await _lock_holder(tx, ended.user_id)
    if engineer is None:
        return
    engineer_id = engineer.engineer_id
    held = (await qualifications_of(tx, [engineer_id]))[engineer_id].get(ended.skill)
    if held is None or held.certificate_id != certificate_id or held.revoked:
        return  # their work rests on something else
    because = CERTIFICATE_ENDED[state]
    others = [each for each in await _certificates_of(tx, ended.user_id) if each.skill == ended.skill]
    next_best = best_of(others, ranks=placement.policy.ranks, now=tx.now)
    left = held.model_copy(update={"revoked": True, "revoked_reason": because})
    if next_best is not None:
        left = next_best.qualification(engineer_id)
    await put_qualification(tx, await store.change(tx, engineer), left)
    await give_back_uncovered(tx, engineer_id, ended.skill, placement, because=because, actor=SYSTEM)


async def bring_qualifications(tx: UnitOfWork, engineer: Engineer, ranks: Mapping[str, int]) -> None:
    """What somebody was certified for before they became an engineer. The caller holds the waiting line."""
    certificates = await _certificates_of(tx, engineer.user_id)
    for skill in sorted({certificate.skill for certificate in certificates}):
        held = (await qualifications_of(tx, [engineer.engineer_id]))[engineer.engineer_id].get(skill)
        best = best_of([each for each in certificates if each.skill == skill], ranks=ranks, now=tx.now)
        if best is not None and improves(best, held, ranks=ranks, now=tx.now):
            await put_qualification(tx, engineer, best.qualification(engineer.engineer_id))


async def _lock_holder(tx: UnitOfWork, user_id: str) -> Engineer | None:
    engineer_id = await tx.scalar(select(ENGINEERS.c.engineer_id).where(ENGINEERS.c.user_id == user_id))
    return None if engineer_id is None else await store.lock(tx, engineer_id)


async def _certificates_of(tx: UnitOfWork, user_id: str) -> list[Certificate]:
    statement = select(CERTIFICATES).where(CERTIFICATES.c.user_id == user_id).order_by(CERTIFICATES.c.certificate_id)
    return [Certificate.model_validate(row._asdict()) for row in await tx.execute(statement)]

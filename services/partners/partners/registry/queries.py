"""Reading partners."""

from collections.abc import Sequence
from dataclasses import dataclass

from bihuan.common.v1.common_pb2 import Clock
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import select

from partners.access import require_own, visible_partner
from partners.registry.partner import Partner, State
from partners.registry.tables import PARTNERS
from servicekit import deadlines


@dataclass(frozen=True, slots=True)
class View:
    """A partner with its clocks."""

    partner: Partner
    clocks: Sequence[Clock]


async def find_partner(tx: UnitOfWork, partner: str) -> Partner:
    """Raises Fault partner_unknown."""
    row = (await tx.execute(select(PARTNERS).where(PARTNERS.c.partner == partner))).one_or_none()
    if row is None:
        raise Fault("partner_unknown", field="partner", partner=partner)
    return Partner.model_validate(row._asdict())


async def get_partner(tx: UnitOfWork, partner: str, principal: Principal) -> View:
    """Raises Fault partner_unknown or partner_forbidden."""
    require_own(principal, partner)
    return (await describe(tx, [await find_partner(tx, partner)]))[0]


async def list_partners(
    tx: UnitOfWork, principal: Principal, *, state: State | None, after: str, limit: int
) -> list[View]:
    """By name, those that the caller may see."""
    statement = select(PARTNERS).where(PARTNERS.c.partner > after)
    if only := visible_partner(principal):
        statement = statement.where(PARTNERS.c.partner == only)
    if state is not None:
        statement = statement.where(PARTNERS.c.state == state)
    rows = await tx.execute(statement.order_by(PARTNERS.c.partner).limit(limit))
    return await describe(tx, [Partner.model_validate(row._asdict()) for row in rows])


async def describe(tx: UnitOfWork, partners: Sequence[Partner]) -> list[View]:
    """The partners with their clocks."""
    clocks = await deadlines.of(tx, [partner.partner for partner in partners])
    return [View(partner, clocks[partner.partner]) for partner in partners]


async def active_partners(tx: UnitOfWork) -> list[Partner]:
    """Those to whom something may be passed on."""
    rows = await tx.execute(select(PARTNERS).where(PARTNERS.c.state == State.ACTIVE))
    return [Partner.model_validate(row._asdict()) for row in rows]


async def all_partners(tx: UnitOfWork) -> list[Partner]:
    """Everybody who ever was one."""
    rows = await tx.execute(select(PARTNERS).order_by(PARTNERS.c.partner))
    return [Partner.model_validate(row._asdict()) for row in rows]

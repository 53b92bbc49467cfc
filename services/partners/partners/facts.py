"""What the service tells the loop check: partners and deliveries, and what is wrong with them.

What goes into a feed needs no entry of its own: it is a row of the outbox, which the loop check looks at anyway.
"""

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import Text, cast, select

from partners.consistency import problems_of_delivery, problems_of_partner
from partners.registry.partner import Partner
from partners.registry.queries import describe
from partners.registry.tables import PARTNERS
from partners.webhooks.delivery import Delivery
from partners.webhooks.tables import DELIVERIES
from servicekit import deadlines


async def entity_facts(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    """The next of both kinds by id, after the id `after`; empty for the first ones."""
    facts = await _partners(tx, after, limit) + await _deliveries(tx, after, limit)
    return sorted(facts, key=lambda fact: fact.entity_id)[:limit]


async def _partners(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    name = PARTNERS.c.partner.collate("C")
    rows = await tx.execute(select(PARTNERS).where(name > after).order_by(name).limit(limit))
    return [
        EntityFact(
            entity="partner",
            entity_id=view.partner.partner,
            state=view.partner.state,
            running_clocks=deadlines.running(view.clocks),
            version=view.partner.version,
            problems=problems_of_partner(view.partner, view.clocks),
        )
        for view in await describe(tx, [Partner.model_validate(row._asdict()) for row in rows])
    ]


async def _deliveries(tx: UnitOfWork, after: str, limit: int) -> list[EntityFact]:
    # As text, because the names of partners and the ids of deliveries are paged through together.
    key = cast(DELIVERIES.c.delivery_id, Text).collate("C")
    rows = await tx.execute(select(DELIVERIES).where(key > after).order_by(key).limit(limit))
    return [
        EntityFact(
            entity="delivery",
            entity_id=str(delivery.delivery_id),
            state=delivery.state,
            version=len(delivery.attempts) + 1,
            problems=problems_of_delivery(delivery),
        )
        for delivery in (Delivery.model_validate(row._asdict()) for row in rows)
    ]

"""Passing an event on to every partner that may see it, in the transaction in which it is received (GWY-05)."""

from google.protobuf.message import Message
from servicekit.database import UnitOfWork
from servicekit.messaging import NotYet, Received
from servicekit.messaging.sharing import SharedEvent

from partners.feed.cloudevent import CloudEvent
from partners.feed.regions import is_about_a_case, region_of
from partners.registry.queries import active_partners
from partners.registry.scope import matches
from partners.webhooks.accepting import accept

# The opening of a case may be under way beside an event about it. After so many deliveries it is not coming.
_PATIENT_DELIVERIES = 6


async def pass_on(tx: UnitOfWork, event: Message, received: Received, shared: SharedEvent) -> None:
    """Into the feeds and, for each webhook endpoint that wants it, as a delivery that is due at once.

    Raises NotYet while the region that decides is not known.
    """
    region = await region_of(tx, event)
    wanting = [partner for partner in await active_partners(tx) if matches(partner.event_types, received.subject)]
    decided_by_region = any("." in partner.domain for partner in wanting)
    if region is None and decided_by_region and is_about_a_case(event) and received.deliveries < _PATIENT_DELIVERIES:
        raise NotYet("the region of the case is not known")
    for partner in wanting:
        if partner.may_see(received.subject, region, tx.now):
            told = CloudEvent.of(event, received, shared, partner.partner)
            tx.pass_on(told.to_outbox(partner.partner, received.subject))
            await accept(tx, partner.partner, told, received.subject)

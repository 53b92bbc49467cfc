"""Passing events on to every partner that may see them, in the transaction in which they are received (GWY-05)."""

from collections.abc import Sequence

from servicekit.database import UnitOfWork
from servicekit.messaging import Happening, NotYet
from servicekit.messaging.sharing import shared_event

from partners.feed.cloudevent import CloudEvent
from partners.feed.regions import is_about_a_case, regions_of
from partners.registry.partner import Partner
from partners.registry.queries import active_partners
from partners.registry.scope import matches
from partners.webhooks.accepting import Accepting

# The opening of a case may be under way beside an event about it. After so many deliveries it is not coming.
_PATIENT_DELIVERIES = 6


async def pass_on(tx: UnitOfWork, happenings: Sequence[Happening]) -> int:
    """Into the feeds and, for each webhook endpoint that wants it, as a delivery that is due at once; returns how many
    such deliveries.

    Raises NotYet while the region that decides is not known.
    """
    partners = await active_partners(tx)
    regions = await regions_of(tx, [event for event, _ in happenings])
    accepting = await Accepting.for_endpoints_of(tx, partners)
    for happening, region in zip(happenings, regions, strict=True):
        event, received = happening
        for partner in _wanting(partners, happening, region):
            if partner.may_see(received.subject, region, tx.now):
                told = CloudEvent.of(event, received, shared_event(event.DESCRIPTOR.full_name), partner.partner)
                tx.pass_on(told.to_outbox(partner.partner, received))
                accepting.accept(partner.partner, told, received.subject)
    return await accepting.write()


def _wanting(partners: Sequence[Partner], happening: Happening, region: str | None) -> list[Partner]:
    """Those that the kind of event is for, and that were there when it happened. Raises NotYet as `pass_on`."""
    event, received = happening
    wanting = [
        partner
        for partner in partners
        if matches(partner.event_types, received.subject) and partner.was_there(received.occurred_at)
    ]
    decided_by_region = any("." in partner.domain for partner in wanting)
    if region is None and decided_by_region and is_about_a_case(event) and received.deliveries < _PATIENT_DELIVERIES:
        raise NotYet("the region of the case is not known")
    return wanting

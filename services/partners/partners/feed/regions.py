"""The region that an event belongs to: its own, or the one that its case or complaint was opened in."""

from google.protobuf.message import Message
from servicekit.database import UnitOfWork
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from partners.feed.tables import EVENT_REGIONS

# Fields that name what an event is about, the nearest first.
_NAMING = ("complaint_id", "case_id", "subject_id")

_REMEMBER = insert(EVENT_REGIONS).on_conflict_do_nothing()


async def region_of(tx: UnitOfWork, event: Message) -> str | None:
    """None where it has none, or where that is not known. A region that the event brings is remembered."""
    named = [identifier for field in _NAMING if (identifier := getattr(event, field, ""))]
    own = getattr(event, "region", "")
    if own:
        if named:
            await tx.execute(_REMEMBER, {"entity_id": named[0], "region": own, "remembered_at": tx.now})
        return str(own)
    if not named:
        return None
    rows = await tx.execute(select(EVENT_REGIONS).where(EVENT_REGIONS.c.entity_id.in_(named)))
    known = {row.entity_id: str(row.region) for row in rows}
    return next((known[identifier] for identifier in named if identifier in known), None)


def is_about_a_case(event: Message) -> bool:
    """Whether it belongs to a case or a complaint, and so to a region."""
    return any(getattr(event, field, "") for field in ("complaint_id", "case_id"))

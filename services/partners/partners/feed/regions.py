"""The region that an event belongs to: its own, or the one that its case or complaint was opened in."""

from collections.abc import Sequence

from google.protobuf.message import Message
from servicekit.database import UnitOfWork

# Fields that name what an event is about, the nearest first.
_NAMING = ("complaint_id", "case_id", "subject_id")

# In the order of their ids: two transactions that remember the same ones wait for each other in one direction.
_REMEMBER = """
INSERT INTO event_regions (entity_id, region, remembered_at)
SELECT entity_id, region, $3::timestamptz FROM unnest($1::text[], $2::text[]) AS rows (entity_id, region)
ORDER BY entity_id ON CONFLICT DO NOTHING
"""
_REMEMBERED = "SELECT entity_id, region FROM event_regions WHERE entity_id = ANY($1::text[])"


async def regions_of(tx: UnitOfWork, events: Sequence[Message]) -> list[str | None]:
    """Of each event; None where it has none, or where that is not known. Regions that events bring are remembered."""
    brought = [(_named(event)[0], _own(event)) for event in events if _own(event) and _named(event)]
    if brought:
        await tx.fetch(_REMEMBER, *(list(column) for column in zip(*brought, strict=True)), tx.now)
    asked = {identifier for event in events if not _own(event) for identifier in _named(event)}
    rows = await tx.fetch(_REMEMBERED, list(asked)) if asked else []
    known = {row["entity_id"]: str(row["region"]) for row in rows}
    return [
        _own(event) or next((known[identifier] for identifier in _named(event) if identifier in known), None)
        for event in events
    ]


def is_about_a_case(event: Message) -> bool:
    """Whether it belongs to a case or a complaint, and so to a region."""
    return any(getattr(event, field, "") for field in ("complaint_id", "case_id"))


def _own(event: Message) -> str:
    return str(getattr(event, "region", ""))


def _named(event: Message) -> list[str]:
    return [identifier for field in _NAMING if (identifier := getattr(event, field, ""))]

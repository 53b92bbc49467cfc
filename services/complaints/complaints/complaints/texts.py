"""The communication log: what was said and written about a complaint, sealed; only ever added to (CMP-05)."""

from collections.abc import Sequence
from dataclasses import dataclass

from servicekit.customerkeys import CustomerKey, seal
from servicekit.database import UnitOfWork
from servicekit.ids import uuid7
from servicekit.sealing import Sealer
from sqlalchemy import insert, select

from complaints.complaints.complaint import Complaint
from complaints.complaints.tables import TEXTS, TextRow

# Roles of texts, as the archive shows them too.
SUBJECT = "subject"
DESCRIPTION = "description"
CONTACT = "contact"
CLASSIFICATION_NOTE = "classification_note"
HAND_OVER_REASON = "hand_over_reason"
HANDLING_NOTE = "handling_note"
RESULT_COMMENT = "result_comment"
CLAIM = "claim"
WITHDRAWAL_REASON = "withdrawal_reason"


@dataclass(frozen=True)
class Text:
    """A text to keep. `inbound`: the customer said it to us."""

    role: str
    text: str
    author: str
    channel: str = ""
    inbound: bool = False


async def add(tx: UnitOfWork, sealer: Sealer, key: CustomerKey, complaint: Complaint, text: Text) -> None:
    """Keeps a text."""
    await tx.execute(
        insert(TEXTS),
        {
            "at": tx.now,
            "text_id": uuid7(),
            "complaint_id": complaint.complaint_id,
            "role": text.role,
            "author": text.author,
            "channel": text.channel,
            "inbound": text.inbound,
            "sealed": seal(sealer, key, text.text),
        },
    )


async def of(tx: UnitOfWork, complaint: Complaint) -> Sequence[TextRow]:
    """Every text of a complaint, oldest first, except subject and description, which the complaint itself holds."""
    statement = (
        select(TEXTS)
        # Partitions of the months before the complaint existed need not be looked into.
        .where(TEXTS.c.complaint_id == complaint.complaint_id, TEXTS.c.at >= complaint.accepted_at)
        .order_by(TEXTS.c.at, TEXTS.c.text_id)
    )
    return [TextRow(**row._asdict()) for row in await tx.execute(statement)]

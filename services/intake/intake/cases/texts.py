"""What people wrote about a case, sealed with the customer's key; only ever added to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.customerkeys import CustomerKey, seal, seal_text
from servicekit.database import UnitOfWork
from servicekit.ids import uuid7
from servicekit.sealing import Sealer
from sqlalchemy import select

from intake.cases.case import Case
from intake.cases.tables import TEXTS, TextRow
from intake.customers.store import find_key
from intake.desk import Desk

# Roles of texts, as the archive shows them too.
SUBJECT = "subject"
DESCRIPTION = "description"
JOINED_REPORT = "joined_report"
INTERACTION = "interaction"
ASSESSMENT_NOTE = "assessment_note"
HAND_OVER_REASON = "hand_over_reason"
PAUSE_REASON = "pause_reason"
CONFIRMATION_COMMENT = "confirmation_comment"
SURVEY_COMMENT = "survey_comment"
FOLLOW_UP_NOTE = "follow_up_note"
WITHDRAWAL_REASON = "withdrawal_reason"
APPOINTMENT_PREPARATION = "appointment_preparation"
APPOINTMENT_MOVE_REASON = "appointment_move_reason"
APPOINTMENT_CANCELLATION_REASON = "appointment_cancellation_reason"
DETACHMENT_REASON = "detachment_reason"


@dataclass(frozen=True)
class Text:
    """A text to keep. `inbound`: the customer wrote it to us."""

    role: str
    text: str
    author: str
    channel: str = ""
    inbound: bool = False
    text_id: UUID | None = None


async def add(tx: UnitOfWork, sealer: Sealer, key: CustomerKey, case: Case, texts: Sequence[Text]) -> None:
    """Keeps the texts that are not empty."""
    rows = [
        {
            "at": tx.now,
            "text_id": text.text_id or uuid7(),
            "case_id": case.case_id,
            "role": text.role,
            "author": text.author,
            "channel": text.channel,
            "inbound": text.inbound,
            "sealed": seal(sealer, key, text.text),
        }
        for text in texts
        if text.text
    ]
    if rows:
        await tx.insert(TEXTS, *rows)


async def seal_result(tx: UnitOfWork, desk: Desk, case: Case, result: str) -> str:
    """A result as its case keeps it."""
    return seal_text(desk.sealer, await find_key(tx, case.customer_id), result)


async def of(tx: UnitOfWork, case: Case) -> list[TextRow]:
    """Every text of a case, oldest first, except subject and description, which the case itself holds."""
    statement = (
        select(TEXTS)
        # Partitions of the months before the case existed need not be looked into.
        .where(TEXTS.c.case_id == case.case_id, TEXTS.c.at >= case.accepted_at)
        .order_by(TEXTS.c.at, TEXTS.c.text_id)
    )
    return [TextRow(**row._asdict()) for row in await tx.execute(statement)]


async def joined_by(tx: UnitOfWork, report_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Which case each of these reports joined; reports that opened a case of their own are left out."""
    if not report_ids:
        return {}
    statement = select(TEXTS.c.text_id, TEXTS.c.case_id).where(TEXTS.c.text_id.in_(report_ids))
    return {row.text_id: row.case_id for row in await tx.execute(statement)}

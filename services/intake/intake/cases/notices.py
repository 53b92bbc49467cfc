"""What the customer is told of our own accord: a contact in their language, on the channel of the case (INT-10).

The texts are the notices of standards/stages.yaml. The contact stands among the case's interactions; the history says
which notice it was.
"""

from servicekit.database import UnitOfWork

from intake.cases import progress, store, texts
from intake.cases.case import Case
from intake.cases.promises import promised_clock
from intake.cases.steps import noted
from intake.cases.texts import Text
from intake.customers.store import find_keys
from intake.desk import Desk
from servicekit import deadlines

SYSTEM = "system"

OUTAGE = "outage"
OUTAGE_OVER = "outage_over"
OUTAGE_DISMISSED = "outage_dismissed"
OUTAGE_DETACHED = "outage_detached"
APPOINTMENT_CONFIRMED = "appointment"
APPOINTMENT_MOVED = "appointment_moved"
APPOINTMENT_NOT_MOVED = "appointment_not_moved"
APPOINTMENT_REMINDER = "appointment_reminder"
# Other times can be had, or none.
APPOINTMENT_FAILED = "appointment_failed"
APPOINTMENT_LOST = "appointment_lost"
APPOINTMENT_IN_VAIN = "appointment_in_vain"


async def tell(tx: UnitOfWork, desk: Desk, case: Case, notice: str, *, appointment: str = "") -> None:
    """Tells the customer of a case that is stored as it stands now; `appointment`: the times that the notice names."""
    told = noted(case, "customer_told", notice=notice, channel=case.channel)
    await store.save(tx, case, told, actor=SYSTEM)
    clocks = (await deadlines.of(tx, [str(case.case_id)]))[str(case.case_id)]
    words = progress.notice_text(
        desk.standards.stages.notices[notice],
        case.language,
        clock=promised_clock(case, clocks),
        appointment=appointment,
    )
    contact = Text(role=texts.INTERACTION, text=words, author=SYSTEM, channel=case.channel)
    key = (await find_keys(tx, [case.customer_id]))[case.customer_id]
    await texts.add(tx, desk.sealer, key, case, [contact])

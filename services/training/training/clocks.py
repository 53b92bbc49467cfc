"""What happens when the clocks of exams and certificates come due (TRN-04, TRN-05).

Every mark is announced by the kit as ClockWarned or ClockMissed. Late training and late marking have nothing besides:
they go on, and those who answer for them hear of it by the event.
"""

from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.deadlines import Deadline, DeadlineHandlers

from training.certificates.commands import expire_certificate
from training.certificates.signing import CertificateSigner
from training.exams.sitting import end_attempt
from training.policy import CERTIFICATE_VALIDITY, EXAM_TIME


def build_clocks(signer: CertificateSigner) -> DeadlineHandlers:
    clocks = DeadlineHandlers()

    @clocks.missed(EXAM_TIME)
    async def hand_in(tx: UnitOfWork, deadline: Deadline) -> None:
        """What was saved in time counts."""
        await end_attempt(tx, UUID(deadline.subject_id), signer=signer)

    @clocks.missed(CERTIFICATE_VALIDITY)
    async def expire(tx: UnitOfWork, deadline: Deadline) -> None:
        await expire_certificate(tx, UUID(deadline.subject_id))

    return clocks

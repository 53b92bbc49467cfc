"""Issuing, expiring and revoking certificates, each in one transaction with its event (TRN-05)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from bihuan.training.v1 import events_pb2
from servicekit.casenumbers import issue, parse, serials
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from servicekit.ids import uuid7
from servicekit.moments import CHINA_TIME
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_keep

from servicekit import deadlines
from training.certificates.certificate import Certificate, State
from training.certificates.signing import CertificateSigner
from training.certificates.tables import CERTIFICATES, KEYS, NUMBERS
from training.exams.attempt import Attempt
from training.exams.exam import Exam
from training.policy import CERTIFICATE_VALIDITY

NUMBER_PREFIX = "T"

_REMEMBER_KEY = insert_or_keep(KEYS).on_conflict_do_nothing()


async def issue_certificate(tx: UnitOfWork, exam: Exam, attempt: Attempt, signer: CertificateSigner) -> Certificate:
    """What a passed attempt certifies: signed, numbered, with a clock that ends it."""
    (serial,) = await serials(tx, NUMBERS, 1)
    unsigned = Certificate(
        certificate_id=uuid7(),
        number=issue(NUMBER_PREFIX, tx.now.astimezone(CHINA_TIME).date(), serial),
        version=1,
        state=State.VALID,
        person=attempt.person,
        skill=exam.skill,
        level=exam.level,
        issued_at=tx.now,
        # A whole second, because the signed certificate says no more: both end at the same moment.
        valid_until=(tx.now + timedelta(days=exam.certificate_days)).replace(microsecond=0),
        exam_id=exam.exam_id,
        attempt_id=attempt.attempt_id,
        signed="",
    )
    certificate = unsigned.model_copy(update={"signed": signer.sign(unsigned)})
    await tx.execute(_REMEMBER_KEY, {"key_id": signer.key_id, "x": signer.x, "first_used_at": tx.now})
    await tx.execute(insert(CERTIFICATES), certificate.model_dump())
    clock = Start(
        CERTIFICATE_VALIDITY,
        str(certificate.certificate_id),
        responsible=certificate.person,
        due_at=certificate.valid_until,
    )
    await deadlines.start(tx, [clock])
    issued = events_pb2.CertificateIssued(
        **_facts(certificate), level=certificate.level, valid_until=certificate.valid_until
    )
    tx.emit(issued, version=certificate.version)
    return certificate


async def expire_certificate(tx: UnitOfWork, certificate_id: UUID) -> None:
    """Its time is over. One that was revoked before stays so."""
    before = await _lock(tx, CERTIFICATES.c.certificate_id == certificate_id)
    if before.state == State.VALID:
        after = await _save(tx, before, state=State.EXPIRED)
        tx.emit(events_pb2.CertificateExpired(**_facts(after)), version=after.version)


async def revoke_certificate(tx: UnitOfWork, number: str, *, reason: str, expected_version: int) -> Certificate:
    """It no longer counts, from now on.

    Raises Fault certificate_unknown, case_number_invalid, stale_version or transition_forbidden.
    """
    before = await _lock(tx, CERTIFICATES.c.number == parse(number))
    if expected_version not in {0, before.version}:
        raise Fault("stale_version")
    if before.state != State.VALID:
        raise Fault("transition_forbidden", action="revoke_certificate", state=before.state.value)
    after = await _save(tx, before, state=State.REVOKED, revoked_reason=reason)
    await deadlines.cancel(tx, [str(after.certificate_id)], [CERTIFICATE_VALIDITY])
    tx.emit(events_pb2.CertificateRevoked(**_facts(after)), version=after.version)
    return after


async def _lock(tx: UnitOfWork, named: ColumnElement[bool]) -> Certificate:
    row = (await tx.execute(select(CERTIFICATES).where(named).with_for_update())).one_or_none()
    if row is None:
        raise Fault("certificate_unknown", field="number")
    return Certificate.model_validate(row._asdict())


async def _save(tx: UnitOfWork, before: Certificate, **changes: Any) -> Certificate:
    after = before.model_copy(update={"version": before.version + 1, **changes})
    values = {"version": after.version, **changes}
    await tx.execute(update(CERTIFICATES).where(CERTIFICATES.c.certificate_id == before.certificate_id).values(values))
    return after


def _facts(certificate: Certificate) -> dict[str, str]:
    return {
        "certificate_id": str(certificate.certificate_id),
        "number": certificate.number,
        "person": certificate.person,
        "skill": certificate.skill,
    }

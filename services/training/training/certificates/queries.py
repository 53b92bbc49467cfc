"""Reading certificates, and verifying them for anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from servicekit.casenumbers import parse
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from sqlalchemy import select

from servicekit import deadlines
from training.access import require_may_read, visible_person
from training.certificates.certificate import Certificate, State
from training.certificates.signing import CertificateSigner, read_signed
from training.certificates.tables import CERTIFICATES, KEYS


@dataclass(frozen=True, slots=True)
class View:
    """A certificate with its clocks."""

    certificate: Certificate
    clocks: Sequence[Clock]


async def find_certificate(tx: UnitOfWork, number: str) -> Certificate:
    """Raises Fault certificate_unknown, or case_number_invalid when a digit is wrong."""
    row = (await tx.execute(select(CERTIFICATES).where(CERTIFICATES.c.number == parse(number)))).one_or_none()
    if row is None:
        raise Fault("certificate_unknown", field="number")
    return Certificate.model_validate(row._asdict())


async def get_certificate(tx: UnitOfWork, number: str, principal: Principal) -> View:
    """Raises as `find_certificate`, and not_yours."""
    certificate = await find_certificate(tx, number)
    require_may_read(principal, certificate.person)
    return (await describe(tx, [certificate]))[0]


async def list_certificates(
    tx: UnitOfWork,
    principal: Principal,
    *,
    person: str,
    skill: str,
    state: State | None,
    before: UUID | None,
    limit: int,
) -> list[View]:
    """Newest first, by id. Empty filters let everything through that the caller may see."""
    columns = CERTIFICATES.c
    statement = select(CERTIFICATES)
    if whose := visible_person(principal, person):
        statement = statement.where(columns.person == whose)
    if skill:
        statement = statement.where(columns.skill == skill)
    if state is not None:
        statement = statement.where(columns.state == state)
    if before is not None:
        statement = statement.where(columns.certificate_id < before)
    rows = await tx.execute(statement.order_by(columns.certificate_id.desc()).limit(limit))
    return await describe(tx, [Certificate.model_validate(row._asdict()) for row in rows])


async def describe(tx: UnitOfWork, certificates: Sequence[Certificate]) -> list[View]:
    """The certificates with their clocks."""
    clocks = await deadlines.of(tx, [str(certificate.certificate_id) for certificate in certificates])
    return [View(certificate, clocks[str(certificate.certificate_id)]) for certificate in certificates]


async def find_by_signature(tx: UnitOfWork, signed: str, signer: CertificateSigner) -> Certificate:
    """The certificate that somebody shows. Raises Fault certificate_forged when none of our keys signed it, or when
    what is signed is not what we issued."""
    claims = read_signed(signed, await list_keys(tx, signer))
    statement = select(CERTIFICATES).where(CERTIFICATES.c.number == str(claims["jti"]))
    row = (await tx.execute(statement)).one_or_none()
    if row is None or row.signed != signed:
        raise Fault("certificate_forged", field="signed")
    return Certificate.model_validate(row._asdict())


async def list_keys(tx: UnitOfWork, signer: CertificateSigner) -> dict[str, str]:
    """Every public key that a certificate may have been signed with: `x` by key id, the present one first."""
    rows = await tx.execute(select(KEYS.c.key_id, KEYS.c.x).order_by(KEYS.c.first_used_at.desc()))
    return {signer.key_id: signer.x} | {row.key_id: row.x for row in rows}

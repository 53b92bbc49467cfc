"""Where engineers are stored."""

from sqlalchemy import CheckConstraint, Index

from dispatch.engineers.certificate import Certificate
from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.engineers.shift import Shift


class EngineerRow(Engineer, table=True):
    """One engineer; the row lock and its version serialise what is assigned to them."""

    __tablename__ = "engineers"
    __table_args__ = (CheckConstraint("open_work_orders >= 0", name="load_not_negative"),)


class QualificationRow(Qualification, table=True):
    """The newest qualification of an engineer in a skill; earlier ones live on in the events."""

    __tablename__ = "qualifications"


class CertificateRow(Certificate, table=True):
    """A certificate of training's, its holder's user id beside it."""

    __tablename__ = "known_certificates"
    __table_args__ = (Index("known_certificates_of_user", "user_id", "skill"),)


class ShiftRow(Shift, table=True):
    """A planned shift; those of one engineer never overlap."""

    __tablename__ = "engineer_shifts"
    __table_args__ = (Index("engineer_shifts_by_end", "ends_at"),)


ENGINEERS = EngineerRow.__table__  # type: ignore[attr-defined]
QUALIFICATIONS = QualificationRow.__table__  # type: ignore[attr-defined]
CERTIFICATES = CertificateRow.__table__  # type: ignore[attr-defined]
SHIFTS = ShiftRow.__table__  # type: ignore[attr-defined]

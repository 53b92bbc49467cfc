"""Where certificates are stored, and the public keys that they were signed with."""

from datetime import datetime

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from training.certificates.certificate import Certificate

# The sequence behind certificate numbers.
NUMBERS = "certificate_numbers"


class CertificateRow(Certificate, table=True):
    """One certificate."""

    __tablename__ = "certificates"
    __table_args__ = (Index("certificates_of_person", "person", "certificate_id"),)


class CertificateKeyRow(SQLModel, table=True):
    """A public key that was used: it has to verify as long as there are certificates signed with it."""

    __tablename__ = "certificate_keys"

    # Thumbprint (RFC 7638).
    key_id: str = Field(primary_key=True)
    # The key's 32 bytes in base64url, as a JSON Web Key has them.
    x: str
    first_used_at: datetime = Field(sa_type=UTC_TIME)


CERTIFICATES = CertificateRow.__table__  # type: ignore[attr-defined]
KEYS = CertificateKeyRow.__table__  # type: ignore[attr-defined]

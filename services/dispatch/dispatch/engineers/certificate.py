"""What training has certified, as dispatch knows it, and what follows for a qualification (DSP-02). Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from dispatch.engineers.engineer import Qualification


class State(StrEnum):
    """As training has it."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Certificate(SQLModel):
    """A certificate as a value, whether its holder is an engineer or not yet. `CertificateRow` stores exactly this."""

    certificate_id: UUID = Field(primary_key=True)
    user_id: str
    skill: str
    level: str
    valid_until: datetime = Field(sa_type=UTC_TIME)
    state: State = Field(sa_type=Text)

    def counts(self, now: datetime) -> bool:
        return self.state == State.VALID and now < self.valid_until

    def qualification(self, engineer_id: UUID) -> Qualification:
        """What it gives to its holder."""
        return Qualification(
            engineer_id=engineer_id,
            skill=self.skill,
            level=self.level,
            valid_until=self.valid_until,
            certificate_id=self.certificate_id,
        )


def best_of(certificates: Iterable[Certificate], *, ranks: Mapping[str, int], now: datetime) -> Certificate | None:
    """The highest of those that count, and of these the one that counts longest; None when none does."""
    counting = [certificate for certificate in certificates if certificate.counts(now)]
    return max(counting, key=lambda each: (ranks[each.level], each.valid_until), default=None)


def improves(certificate: Certificate, held: Qualification | None, *, ranks: Mapping[str, int], now: datetime) -> bool:
    """Whether it gives more than what is held. A certificate never lowers or shortens anybody's qualification."""
    if held is None or held.revoked or held.valid_until <= now:
        return True
    return (ranks[certificate.level], certificate.valid_until) > (ranks.get(held.level, 0), held.valid_until)

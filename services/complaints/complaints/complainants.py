"""Complainants: a key for each, under which everything personal of their complaints is sealed (REC-05, REC-06).

Complaints has keys of its own, because nobody's key ever travels. It is destroyed when intake tells that the customer
was erased; from then on the texts are gone, here and in the archive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.sealing import Sealer
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from complaints.complaints.tables import COMPLAINTS


class ComplainantRow(SQLModel, table=True):
    """One customer who has complained; the key is None once it was destroyed."""

    __tablename__ = "complainants"

    customer_id: UUID = Field(primary_key=True)
    wrapped_key: bytes | None
    erased_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


COMPLAINANTS = ComplainantRow.metadata.tables["complainants"]


@dataclass(frozen=True, slots=True)
class ComplainantKey:
    """A complainant's wrapped key; `wrapped` is None once it was destroyed."""

    customer_id: UUID
    wrapped: bytes | None


async def key_for(tx: UnitOfWork, sealer: Sealer, customer_id: UUID) -> ComplainantKey:
    """The complainant's key, made with their first complaint."""
    offered = {"customer_id": customer_id, "wrapped_key": sealer.new_key(), "erased_at": None}
    await tx.execute(postgresql.insert(COMPLAINANTS).values(offered).on_conflict_do_nothing())
    return (await find_key(tx, customer_id)) or ComplainantKey(customer_id, None)


async def find_key(tx: UnitOfWork, customer_id: UUID) -> ComplainantKey | None:
    """None for a customer who has never complained."""
    statement = select(COMPLAINANTS.c.wrapped_key).where(COMPLAINANTS.c.customer_id == customer_id)
    row = (await tx.execute(statement)).one_or_none()
    return ComplainantKey(customer_id, row.wrapped_key) if row else None


async def erase(tx: UnitOfWork, customer_id: UUID) -> None:
    """Destroys the key. Also for a customer who has not complained yet, so that nothing is kept of them later."""
    erased = {"customer_id": customer_id, "wrapped_key": None, "erased_at": tx.now}
    statement = postgresql.insert(COMPLAINANTS).values(erased)
    await tx.execute(statement.on_conflict_do_update(index_elements=["customer_id"], set_=erased))


def seal(sealer: Sealer, key: ComplainantKey, text: str) -> bytes:
    """`text` sealed. Empty for an empty text, and for an erased customer."""
    return sealer.seal(key.wrapped, text, str(key.customer_id)) if text and key.wrapped is not None else b""


def unseal(sealer: Sealer, key: ComplainantKey | None, sealed: bytes) -> str:
    """The text; empty where the key is destroyed. Raises Fault("sealed_text_invalid") for another's text."""
    if not sealed or key is None or key.wrapped is None:
        return ""
    return sealer.open(key.wrapped, sealed, str(key.customer_id))


async def unseal_texts(
    tx: UnitOfWork, sealer: Sealer, principal: Principal, customer_id: UUID, sealed: Sequence[bytes]
) -> tuple[list[str], bool]:
    """The texts in the order asked, and whether the customer was erased.

    Raises Fault("customer_unknown"), and Fault("domain_forbidden") for one who has complained only in other regions.
    """
    key = await find_key(tx, customer_id)
    if key is None:
        raise Fault("customer_unknown")
    regions = select(COMPLAINTS.c.region).where(COMPLAINTS.c.customer_id == customer_id).distinct()
    found = list((await tx.execute(regions)).scalars())
    if not any(principal.may_see(region) for region in found):
        raise Fault("domain_forbidden", region=", ".join(found))
    return [unseal(sealer, key, text) for text in sealed], key.wrapped is None

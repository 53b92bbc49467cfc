"""Complainants: a key for each, under which everything personal of their complaints is sealed (REC-05, REC-06).

Destroyed when intake tells that the customer was erased; from then on the texts are gone, here and in the archive.
"""

from collections.abc import Sequence
from uuid import UUID

from servicekit.customerkeys import KeptKey, KeyRing, open_text, seal_text, seal_text_for, unseal
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.sealing import Sealer
from sqlalchemy import select

from complaints.complaints.complaint import Complaint
from complaints.complaints.tables import COMPLAINTS


class ComplainantRow(KeptKey, table=True):
    """One customer who has complained."""

    __tablename__ = "complainants"


COMPLAINANTS = ComplainantRow.metadata.tables["complainants"]
KEYS = KeyRing(COMPLAINANTS)


async def seal_words(tx: UnitOfWork, sealer: Sealer, complaint: Complaint, *words: str) -> list[str]:
    """What somebody writes about a complaint, as it is kept."""
    key = await KEYS.key_for(tx, sealer, complaint.customer_id)
    return [seal_text(sealer, key, text) for text in words]


async def open_words(tx: UnitOfWork, sealer: Sealer, complaint: Complaint, *kept: str) -> list[str]:
    """The same in clear, and what others have sealed for us."""
    key = await KEYS.key_for(tx, sealer, complaint.customer_id)
    return [open_text(sealer, key, text) for text in kept]


async def told_intake(tx: UnitOfWork, sealer: Sealer, complaint: Complaint, kept: str) -> str:
    """A kept text as it is told of a complaint that was a case before: intake alone can open it.

    In clear where the case was handed over by an intake that gave no key yet: nobody could read it else.
    """
    if complaint.case_id is None or not kept:
        return kept
    (text,) = await open_words(tx, sealer, complaint, kept)
    if not complaint.case_sealing_key:
        return text
    return seal_text_for(complaint.case_sealing_key, complaint.customer_id, text)


async def unseal_texts(
    tx: UnitOfWork, sealer: Sealer, principal: Principal, customer_id: UUID, sealed: Sequence[bytes]
) -> tuple[list[str], bool]:
    """The texts in the order asked, and whether the customer was erased.

    Raises Fault("customer_unknown"), and Fault("domain_forbidden") for one who has complained only in other regions.
    """
    key = (await KEYS.find(tx, [customer_id])).get(customer_id)
    if key is None:
        raise Fault("customer_unknown")
    regions = select(COMPLAINTS.c.region).where(COMPLAINTS.c.customer_id == customer_id).distinct()
    found = list((await tx.execute(regions)).scalars())
    if not any(principal.may_see(region) for region in found):
        raise Fault("domain_forbidden", region=", ".join(found))
    return [unseal(sealer, key, text) for text in sealed], key.wrapped is None

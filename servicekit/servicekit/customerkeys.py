"""Customers' keys, and texts sealed with them (REC-05, REC-06).

Every service that keeps texts about customers has keys of its own, because nobody's key ever travels: one for each
customer, made with the first text and destroyed when intake tells that the customer was erased. What one service writes
for another it seals with the public half of the other's key (`seal_text_for`), which only the other can open.

In text fields and columns a sealed text is written as `sealed:` and base64. What stands there without that mark was
written before such texts were sealed, and is read as it is.
"""

import base64
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from opentelemetry import metrics
from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from servicekit.database import UnitOfWork
from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from servicekit.errors.words import in_words
from servicekit.identity.call import current_call
from servicekit.languages import DEFAULT_LANGUAGE
from servicekit.sealing import Sealer, seal_from_afar
from servicekit.telemetry import names

MARK: Final = "sealed:"
# Written for a customer who is erased already: that there was a text, and nothing of it.
NOTHING_KEPT: Final = MARK

# How many texts that can't be opened are remembered as told of; beyond it all are forgotten, and told of again.
_REMEMBERED: Final = 1024
# What becomes of a text that was damaged or exchanged, and of every text of a customer whose key was.
_DAMAGED: Final = frozenset({"sealed_text_invalid", "customer_key_invalid"})
_SEALED: Final = re.compile(f"{MARK}(?:[A-Za-z0-9+/]{{4}})*(?:[A-Za-z0-9+/]{{2}}==|[A-Za-z0-9+/]{{3}}=)?")

unreadable = metrics.get_meter("servicekit.customerkeys").create_counter(names.UNREADABLE_TEXTS, unit="{text}")
log = structlog.get_logger(__name__)
# Digests of the texts of which this process has told.
_told: set[bytes] = set()


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """A customer's wrapped key; `wrapped` is None once it was destroyed."""

    customer_id: UUID
    wrapped: bytes | None


def seal(sealer: Sealer, key: CustomerKey, text: str) -> bytes:
    """`text` sealed. Empty for an empty text, and for an erased customer: nothing personal is kept of them any more."""
    if not text or key.wrapped is None:
        return b""
    return sealer.seal(key.wrapped, text, str(key.customer_id))


def unseal(sealer: Sealer, key: CustomerKey | None, sealed: bytes) -> str:
    """The text; empty where the key is destroyed.

    Raises Fault("sealed_text_invalid") for a damaged or another customer's text, and Fault("customer_key_invalid")
    where the key itself can't be opened.
    """
    if not sealed or key is None or key.wrapped is None:
        return ""
    return sealer.open(key.wrapped, sealed, str(key.customer_id))


def seal_text(sealer: Sealer, key: CustomerKey, text: str) -> str:
    """`text` as it is kept in a text field."""
    return written(seal(sealer, key, text)) if text else ""


def seal_text_for(public_key: bytes, customer_id: UUID, text: str) -> str:
    """`text` as it is told to the service that `public_key` is of."""
    return written(seal_from_afar(public_key, text, str(customer_id))) if text else ""


def open_text(sealer: Sealer, key: CustomerKey | None, kept: str) -> str:
    """The text of a text field; in its place, after erasure, that it was erased, in the language of the call.

    For whoever goes on working with it. Raises as `unseal`.
    """
    if not is_sealed(kept):
        return kept
    return unseal(sealer, key, sealed_in(kept)) or erased_text()


def readable(sealer: Sealer, key: CustomerKey | None, sealed: bytes) -> str:
    """As `unseal`, for people to read: in the place of a text that can't be opened it says so, and hides no others."""
    text = unseal_if_whole(sealer, key, sealed)
    return _in_place_of_text("unreadable") if text is None else text


def unseal_if_whole(sealer: Sealer, key: CustomerKey | None, sealed: bytes) -> str | None:
    """As `unseal`, but None for a text that can't be opened, which is counted and told of in the log.

    That the master key is the right one was seen at the service's start (masterkey.py): what can't be opened now
    is damaged.
    """
    try:
        return unseal(sealer, key, sealed)
    except Fault as fault:
        if fault.code not in _DAMAGED or key is None:
            raise
        unreadable.add(1)
        _tell(key.customer_id, sealed, fault.code)
        return None


def readable_text(sealer: Sealer, key: CustomerKey | None, kept: str) -> str:
    """As `open_text`, for people to read; see `readable`."""
    if not is_sealed(kept):
        return kept
    return readable(sealer, key, sealed_in(kept)) or erased_text()


def public_key(sealer: Sealer, key: CustomerKey) -> bytes:
    """What other services seal with for this one; after erasure that of a key which nobody has kept."""
    return sealer.public_key(key.wrapped or sealer.new_key())


def is_sealed(kept: str) -> bool:
    """Whether a text field holds a sealed text."""
    return _SEALED.fullmatch(kept) is not None


def sealed_in(kept: str) -> bytes:
    """What is sealed in a text field; empty where nothing was kept. Raises ValueError for a text in clear."""
    if not is_sealed(kept):
        raise ValueError("this text is not sealed")
    return base64.b64decode(kept.removeprefix(MARK))


def written(sealed: bytes) -> str:
    """A sealed text as text fields hold it."""
    return MARK + base64.b64encode(sealed).decode()


def erased_text() -> str:
    """What a person reads in the place of an erased text, in the language of the call that is served."""
    return _in_place_of_text("erased")


def _in_place_of_text(word: str) -> str:
    call = current_call()
    return in_words("text", word, call.language if call else DEFAULT_LANGUAGE)


def _tell(customer_id: UUID, sealed: bytes, reason: str) -> None:
    """Tells the log of a text once a process, however often somebody looks at it; of very many now and then again."""
    digest = hashlib.sha256(sealed)
    if digest.digest() in _told:
        return
    if len(_told) >= _REMEMBERED:
        _told.clear()
    _told.add(digest.digest())
    log.error("sealed_text_unreadable", customer_id=str(customer_id), sha256=digest.hexdigest(), reason=reason)


class KeptKey(SQLModel):
    """One customer of whom a service keeps texts; a service's own table of them stores exactly these fields."""

    customer_id: UUID = Field(primary_key=True)
    # None once it was destroyed: whatever was sealed with it is unreadable, wherever it lies.
    wrapped_key: bytes | None
    erased_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


class KeyRing:
    """The keys in such a table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._keys = select(table.c.customer_id, table.c.wrapped_key)

    async def key_for(self, tx: UnitOfWork, sealer: Sealer, customer_id: UUID) -> CustomerKey:
        """The customer's key, made with their first text."""
        offered = {"customer_id": customer_id, "wrapped_key": sealer.new_key(), "erased_at": None}
        await tx.execute(postgresql.insert(self._table).values(offered).on_conflict_do_nothing())
        return (await self.find(tx, [customer_id]))[customer_id]

    async def find(self, tx: UnitOfWork, customer_ids: Collection[UUID]) -> dict[UUID, CustomerKey]:
        """The keys of those of whom texts are kept, or were until they were erased."""
        if not customer_ids:
            return {}
        found = await tx.execute(self._keys.where(self._table.c.customer_id.in_(customer_ids)))
        return {row.customer_id: CustomerKey(row.customer_id, row.wrapped_key) for row in found}

    async def erase(self, tx: UnitOfWork, customer_id: UUID) -> None:
        """Destroys the key. Also of a customer who has none yet, so that nothing is kept of them later."""
        erased = {"customer_id": customer_id, "wrapped_key": None, "erased_at": tx.now}
        statement = postgresql.insert(self._table).values(erased)
        await tx.execute(statement.on_conflict_do_update(index_elements=["customer_id"], set_=erased))

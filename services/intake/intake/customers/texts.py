"""Texts sealed with a customer's key: in the database, in events and in the archive (REC-05, REC-06)."""

from dataclasses import dataclass
from uuid import UUID

from servicekit.sealing import Sealer


@dataclass(frozen=True)
class CustomerKey:
    """A customer's wrapped key; `wrapped` is None once it was destroyed."""

    customer_id: UUID
    wrapped: bytes | None


def seal(sealer: Sealer, key: CustomerKey, text: str) -> bytes:
    """`text` sealed. Empty for an empty text, and for an erased customer: nothing personal is kept of them any more."""
    if not text or key.wrapped is None:
        return b""
    return sealer.seal(key.wrapped, text, str(key.customer_id))


def unseal(sealer: Sealer, key: CustomerKey, sealed: bytes) -> str:
    """The text; empty where the key is destroyed. Raises Fault("sealed_text_invalid") for another customer's text."""
    if not sealed or key.wrapped is None:
        return ""
    return sealer.open(key.wrapped, sealed, str(key.customer_id))

"""What enters the log: one entry for each thing that happened in the archive (REC-04, REC-09).

Entry: a JSON object with `at`, `entry_id`, `facts` (names and texts), `kind` and `salt`, keys sorted by code point, no
white space, in UTF-8. The salt makes its hash tell nothing to whoever does not have the entry, and an entry whose bytes
were destroyed cannot be guessed again (docs/decisions/0008).
"""

import base64
import json
import secrets
from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.ids import uuid7

from records.log.tables import ENTRIES
from records.log.tree import leaf_hash

SALT_BYTES = 16


class Kind(StrEnum):
    """What an entry tells."""

    RECORD_FILED = "record_filed"
    RECORD_SEEN = "record_seen"
    RECORD_EXPORTED = "record_exported"
    ACCESS_REQUESTED = "access_requested"
    ACCESS_APPROVED = "access_approved"
    ACCESS_REJECTED = "access_rejected"
    ACCESS_EXPIRED = "access_expired"
    HOLD_PLACED = "hold_placed"
    HOLD_RELEASED = "hold_released"
    DESTRUCTION_PROPOSED = "destruction_proposed"
    DESTRUCTION_APPROVED = "destruction_approved"
    DESTRUCTION_REJECTED = "destruction_rejected"
    RECORD_DESTROYED = "record_destroyed"
    CUSTOMER_ERASED = "customer_erased"


async def enter(
    tx: UnitOfWork, kind: Kind, facts: Mapping[str, str], *, record_id: UUID | None = None, version: int = 0
) -> UUID:
    """Puts an entry before the log, in the transaction of what it tells; the sequencer gives it its place.

    `record_id` and `version` say which record, or which version of it, it is about. Returns the entry's id.
    """
    entry_id = uuid7()
    content = canonical(
        {
            "at": tx.now.isoformat(),
            "entry_id": str(entry_id),
            "facts": dict(facts),
            "kind": kind.value,
            "salt": base64.b64encode(secrets.token_bytes(SALT_BYTES)).decode(),
        }
    )
    row = {
        "entry_id": entry_id,
        "kind": kind.value,
        "record_id": record_id,
        "version": version,
        "at": tx.now,
        "entry": content,
        "leaf_hash": leaf_hash(content),
    }
    await tx.insert(ENTRIES, row)
    return entry_id


def canonical(content: Mapping[str, object]) -> bytes:
    """The one form in which JSON is hashed here."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

"""Creating something once however often it is asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.identity import Principal
from servicekit.ids import uuid7


@dataclass(frozen=True, slots=True)
class CreationKey:
    """The caller's idempotency key, and a digest of what they asked for with it."""

    key: str
    fingerprint: bytes

    @classmethod
    def of(cls, request: Any) -> Self:
        """From a request of the contracts with an `idempotency_key`."""
        return cls(request.idempotency_key, hashlib.sha256(request.SerializeToString(deterministic=True)).digest())


async def claim_id(tx: UnitOfWork, use_case: str, wanted: CreationKey, principal: Principal) -> tuple[UUID, bool]:
    """The id of what is to be created, and whether it is new. Raises Fault idempotency_key_reused."""
    new_id = uuid7()
    claims = {wanted.key: (wanted.fingerprint, new_id)}
    claimed = await tx.claim_keys(f"{use_case} {principal.user_id}", claims)
    return claimed[wanted.key], claimed[wanted.key] == new_id

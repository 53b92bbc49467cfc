"""Idempotency keys: the same creation asked for several times happens once."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import asyncpg

from servicekit.errors import Fault

_CLAIM = """
INSERT INTO idempotency_keys (scope, key, fingerprint, entity_id)
SELECT $1, key, fingerprint, entity_id
FROM unnest($2::text[], $3::bytea[], $4::uuid[]) AS claims (key, fingerprint, entity_id)
ON CONFLICT DO NOTHING
RETURNING key
"""
_KNOWN = "SELECT key, fingerprint, entity_id FROM idempotency_keys WHERE scope = $1 AND key = ANY($2::text[])"


async def claim_keys(
    fetch: Callable[..., Awaitable[list[asyncpg.Record]]], scope: str, claims: Mapping[str, tuple[bytes, UUID]]
) -> dict[str, UUID]:
    """See `UnitOfWork.claim_keys`."""
    # Sorted, so that two transactions that share keys wait for each other in one order instead of deadlocking.
    keys = sorted(key for key in claims if key)
    ids = {key: entity_id for key, (_, entity_id) in claims.items()}
    if not keys:
        return ids
    fingerprints = [claims[key][0] for key in keys]
    offered = [claims[key][1] for key in keys]
    fresh = {row["key"] for row in await fetch(_CLAIM, scope, keys, fingerprints, offered)}
    known = [key for key in keys if key not in fresh]
    if known:
        # A statement of its own: under READ COMMITTED it sees what the transaction we waited for has committed.
        for row in await fetch(_KNOWN, scope, known):
            if row["fingerprint"] != claims[row["key"]][0]:
                raise Fault("idempotency_key_reused", field="idempotency_key", key=row["key"])
            ids[row["key"]] = row["entity_id"]
    return ids

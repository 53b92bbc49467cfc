"""Secrets of endpoints at rest: each sealed by a key of its own, which the platform's master key wraps."""

from datetime import timedelta
from uuid import UUID

from servicekit.database import UnitOfWork
from servicekit.ids import uuid7
from servicekit.sealing import Sealer
from sqlalchemy import delete, insert, or_, select, update

from partners.webhooks.signing import new_secret
from partners.webhooks.tables import SECRETS


async def add_secret(tx: UnitOfWork, endpoint_id: UUID, sealer: Sealer) -> str:
    """A new secret, from now on the first one to sign."""
    secret, key = new_secret(), sealer.new_key()
    row = {
        "secret_id": uuid7(),
        "endpoint_id": endpoint_id,
        "wrapped_key": key,
        "sealed": sealer.seal(key, secret, _purpose(endpoint_id)),
    }
    await tx.execute(insert(SECRETS), row)
    return secret


async def retire_secrets(tx: UnitOfWork, endpoint_id: UUID, overlap: timedelta) -> None:
    """The present ones sign for a while yet; those retired before are forgotten."""
    own = SECRETS.c.endpoint_id == endpoint_id
    await tx.execute(delete(SECRETS).where(own, SECRETS.c.expires_at.is_not(None)))
    await tx.execute(update(SECRETS).where(own).values(expires_at=tx.now + overlap))


async def open_secrets(tx: UnitOfWork, endpoint_id: UUID, sealer: Sealer) -> list[str]:
    """Those that sign at this moment, the newest first."""
    counts = or_(SECRETS.c.expires_at.is_(None), SECRETS.c.expires_at > tx.now)
    statement = select(SECRETS).where(SECRETS.c.endpoint_id == endpoint_id, counts).order_by(SECRETS.c.secret_id.desc())
    rows = await tx.execute(statement)
    return [sealer.open(row.wrapped_key, row.sealed, _purpose(endpoint_id)) for row in rows]


def _purpose(endpoint_id: UUID) -> str:
    return f"webhook secret {endpoint_id}"

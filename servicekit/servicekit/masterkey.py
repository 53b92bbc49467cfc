"""Whether a service has the master key that its customers' keys are wrapped by, seen before it does anything (REC-05).

With another one nothing that is kept could be read, nobody's number would be recognised, and what is sealed from now on
would be lost with the right one.
"""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import asyncpg
import structlog
from sqlalchemy import Table, select
from sqlalchemy.exc import SQLAlchemyError

from servicekit.database import Database, UnitOfWork
from servicekit.errors import Fault
from servicekit.languages import LANGUAGES
from servicekit.sealing import Sealer

# Not one alone, which may be damaged.
TRIED_KEYS: Final = 5

log = structlog.get_logger(__name__)


async def prove_master_key(database: Database, sealer: Sealer, customer_keys: Table) -> None:
    """Raises Fault("master_key_wrong") when the master key does not fit.

    While the database is away or not migrated that can't be seen: the service lives without it, and the log says so.
    """
    try:
        async with database.transaction("master_key") as tx:
            fits = await _fits(tx, sealer, customer_keys)
    except (Fault, SQLAlchemyError, asyncpg.PostgresError) as trouble:
        log.warning("master_key_unproved", reason=str(trouble))
        return
    if not fits:
        raise Fault("master_key_wrong")


def refuse_to_start(wrong: Fault) -> NoReturn:
    """Ends the process as a wrong setting does (exit status 2), with the reason in every language."""
    for language in LANGUAGES:
        text = wrong.text(language)
        sys.stderr.write(f"{text.title}: {text.detail} {text.next_step}\n")
    raise SystemExit(2) from wrong


async def _fits(tx: UnitOfWork, sealer: Sealer, customer_keys: Table) -> bool:
    """The first keys decide: they are of the master key that the service began with. Without any, each fits."""
    wrapped = customer_keys.c.wrapped_key
    first = select(wrapped).where(wrapped.is_not(None)).order_by(customer_keys.c.customer_id).limit(TRIED_KEYS)
    keys = list((await tx.execute(first)).scalars())
    return not keys or any(sealer.is_ours(key) for key in keys)

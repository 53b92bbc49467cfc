"""Giving each service a database and a role of its own on a PostgreSQL server, which an administrator does once."""

import re

import asyncpg
from sqlalchemy.engine import make_url

# Any constant will do: CREATE DATABASE has no IF NOT EXISTS, so provisioning takes turns.
_PROVISION_LOCK = 7209114551
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


async def provision(admin_url: str, service: str, password: str) -> str:
    """Create role and database `service` if they don't exist, set the password, and keep other roles out.

    Returns the service's own URL. Can be repeated at any time. Raises ValueError for a name that isn't an identifier.
    """
    if not _NAME.fullmatch(service):
        raise ValueError(f"not a name for a database and a role: {service!r}")
    url = make_url(admin_url).set(drivername="postgresql")
    admin = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        await admin.execute("SELECT pg_advisory_lock($1)", _PROVISION_LOCK)
        if not await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", service):
            await admin.execute(f'CREATE ROLE "{service}" LOGIN')
        # ALTER ROLE takes no parameters; the server quotes the password for it.
        await admin.execute(
            await admin.fetchval("SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)", service, password)
        )
        if not await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", service):
            await admin.execute(f'CREATE DATABASE "{service}" OWNER "{service}"')
        await admin.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{service}" FROM PUBLIC')
    finally:
        await admin.close()
    own = url.set(drivername="postgresql+asyncpg", username=service, password=password, database=service)
    return own.render_as_string(hide_password=False)

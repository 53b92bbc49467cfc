"""`python -m servicekit.database.provision`: the role and database that BIHUAN_DATABASE_URL names, with its password.

For a PostgreSQL where nobody else makes them. Waits for PostgreSQL; doing it again sets the password again.
"""

from __future__ import annotations

import asyncio
import sys

import asyncpg
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from servicekit.database.provisioning import provision
from servicekit.database.trouble import is_database_trouble
from servicekit.settings import read_settings

PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 1.0


class ProvisionSettings(BaseSettings):
    """Whose database is wanted, and who may make it."""

    model_config = SettingsConfigDict(env_prefix="BIHUAN_", extra="ignore", frozen=True)

    database_url: SecretStr = Field(description="postgresql+asyncpg://role:password@host:port/database of the service.")
    database_admin_url: SecretStr = Field(description="postgresql://… of somebody who may create roles and databases.")


async def provision_database(settings: ProvisionSettings) -> str:
    """Gives the name of the role and database. Raises TimeoutError when PostgreSQL does not come, and ValueError for
    names that can't be had."""
    wanted = make_url(settings.database_url.get_secret_value())
    name, password = wanted.username or "", wanted.password or ""
    if wanted.database != name:
        raise ValueError(f"BIHUAN_DATABASE_URL: role {name!r} and database {wanted.database!r} must have one name")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await provision(settings.database_admin_url.get_secret_value(), name, password)
            except OSError:
                pass  # not there yet
            except asyncpg.PostgresError as error:
                if not is_database_trouble(error):
                    raise
            else:
                return name
            await asyncio.sleep(RETRY_SECONDS)


def main() -> None:
    """Exit status 1 when PostgreSQL is away or refuses, or the names are wrong."""
    settings = read_settings(ProvisionSettings)
    try:
        name = asyncio.run(provision_database(settings))
    except (TimeoutError, ValueError, asyncpg.PostgresError) as wrong:
        sys.stderr.write(f"{wrong or 'PostgreSQL did not answer in time'}\n")
        raise SystemExit(1) from None
    sys.stdout.write(f"{name}: role and database\n")


if __name__ == "__main__":
    main()

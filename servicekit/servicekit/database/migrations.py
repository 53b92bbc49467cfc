"""Alembic migrations of a service's database: forward only, safe when several replicas start at once.

A service has its revisions in `migrations/versions/`, written by hand. The first one calls `create_kit_tables(op)`.
Revisions follow expand → migrate → contract, because the version before still runs while they do.
"""

from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, NullPool, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from servicekit.database import upgrading
from servicekit.database.tables import kit_metadata

# Any constant will do; the lock is per database, and only migrations take it.
_MIGRATION_LOCK = text("SELECT pg_advisory_xact_lock(7209114550)")


async def migrate(database_url: str, migrations: Path) -> None:
    """Bring a database to the newest revision in `migrations`, all of it or nothing, in one transaction.

    A second caller waits for the first and then finds nothing to do.
    """
    engine = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(_MIGRATION_LOCK)
            await connection.run_sync(_upgrade, migrations)
    finally:
        await engine.dispose()


async def is_migrated(database_url: str, migrations: Path) -> bool:
    """Whether the database is at the newest revision that the code knows, or beyond it.

    Beyond, because revisions are safe for the version before: an older version may be brought back without going back.
    Raises OSError or a database error when the database can't be asked.
    """
    engine = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await engine.dispose()
    script = ScriptDirectory.from_config(_config(migrations))
    known = {revision.revision for revision in script.walk_revisions()}
    return current is not None and (current == script.get_current_head() or current not in known)


def migrations_of(package: str) -> Path:
    """Where a service's migrations are: inside the installed package, or beside it in the source tree.

    The service itself is not imported.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no service {package}")
    folder = Path(spec.origin).parent
    inside = folder / "migrations"
    return inside if inside.is_dir() else folder.parent / "migrations"


def expected_head(migrations: Path) -> str:
    """The newest revision that the code knows."""
    head = ScriptDirectory.from_config(_config(migrations)).get_current_head()
    if head is None:
        raise ValueError(f"no revisions in {migrations}")
    return head


def create_kit_tables(op: Operations) -> None:
    """Create outbox, inbox, idempotency keys and deadlines; for a service's first revision."""
    kit_tables().create_all(op.get_bind())


def kit_tables() -> MetaData:
    """The kit's metadata with the tables of every room on it."""
    # Imported here, because the rooms build on this one.
    import servicekit.deadlines.tables  # noqa: F401, PLC0415 - adds its tables to the metadata

    return kit_metadata


def _upgrade(connection: Connection, migrations: Path) -> None:
    config = _config(migrations)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", _escaped(Path(upgrading.__file__).parent))
    config.set_main_option("version_locations", _escaped(migrations / "versions"))
    # Folders may have colons and semicolons in their names.
    config.set_main_option("path_separator", "newline")
    return config


def _escaped(folder: Path) -> str:
    return str(folder).replace("%", "%%")

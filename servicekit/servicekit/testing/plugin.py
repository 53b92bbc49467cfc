"""The pytest plugin: every fixture of the kit, named in the root `conftest.py`."""

from servicekit.testing.nats import bus, nats_server, operator
from servicekit.testing.postgres import (
    database,
    database_template,
    database_url,
    manual_clock,
    migrations,
    postgres_server,
    service_name,
)

__all__ = [
    "bus",
    "database",
    "database_template",
    "database_url",
    "manual_clock",
    "migrations",
    "nats_server",
    "operator",
    "postgres_server",
    "service_name",
]

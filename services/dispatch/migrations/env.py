"""Alembic's way into this service's tables."""

from dispatch.engineers import tables as _engineers  # noqa: F401 -- puts its tables on the metadata
from dispatch.work_orders import tables as _work_orders  # noqa: F401
from servicekit.database.migrations import run_env
from sqlmodel import SQLModel

run_env(SQLModel.metadata)

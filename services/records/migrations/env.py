"""Alembic's entry point for records' database."""

import records.files.tables
from servicekit.database.migrations import run_env

run_env(records.files.tables.RecordRow.metadata)

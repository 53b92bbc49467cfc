"""Alembic's entry point for records' database."""

import records.accesses.tables
import records.files.tables
import records.log.tables
import records.retention.tables
from servicekit.database.migrations import run_env

run_env(records.files.tables.RecordRow.metadata)

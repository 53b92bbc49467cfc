"""Alembic's entry point for intake's database."""

import intake.cases.tables
import intake.customers.tables
from servicekit.database.migrations import run_env

run_env(intake.cases.tables.CaseRow.metadata)

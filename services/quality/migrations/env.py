"""Alembic's entry point for quality's database."""

import quality.alerts.tables
import quality.figures.tables
import quality.observations.tables
import quality.reports.tables
from servicekit.database.migrations import run_env

run_env(quality.observations.tables.ObservationRow.metadata)

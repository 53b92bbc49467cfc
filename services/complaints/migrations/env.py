"""Alembic's entry point for the database of complaints."""

import complaints.complainants
import complaints.complaints.belongings
import complaints.complaints.tables
import complaints.indicator_improvements.tables
from servicekit.database.migrations import run_env

run_env(complaints.complaints.tables.ComplaintRow.metadata)

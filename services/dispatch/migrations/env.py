"""Alembic's entry point for dispatch's database."""

import dispatch.engineers.tables
import dispatch.work_orders.tables
from servicekit.database.migrations import run_env

run_env(dispatch.work_orders.tables.WorkOrderRow.metadata)

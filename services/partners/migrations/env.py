"""Alembic's entry point for the partners service's database."""

import partners.feed.tables
import partners.registry.tables
import partners.webhooks.tables
from servicekit.database.migrations import run_env

run_env(partners.registry.tables.PartnerRow.metadata)

"""Partners, regions of cases and complaints, webhook endpoints and deliveries."""

import sqlalchemy as sa
from alembic import op
from servicekit.database.migrations import create_kit_tables
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_kit_tables(op)
    op.create_table(
        "partners",
        sa.Column("partner", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("event_types", ARRAY(sa.Text), nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("registered_at", TIME, nullable=False),
        sa.Column("ended_reason", sa.Text, nullable=False),
        sa.Column("feed_password_hash", sa.Text, nullable=False),
    )
    op.create_table(
        "event_regions",
        sa.Column("entity_id", sa.Text, primary_key=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("remembered_at", TIME, nullable=False),
    )
    op.create_index("event_regions_remembered", "event_regions", ["remembered_at"])
    _create_webhooks()


def _create_webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", sa.Uuid, primary_key=True),
        sa.Column("partner", sa.Text, sa.ForeignKey("partners.partner"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("event_types", ARRAY(sa.Text), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", TIME),
        sa.Column("disabled_reason", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("webhook_endpoints_of_partner", "webhook_endpoints", ["partner", "endpoint_id"])
    op.create_table(
        "webhook_secrets",
        sa.Column("secret_id", sa.Uuid, primary_key=True),
        sa.Column("endpoint_id", sa.Uuid, sa.ForeignKey("webhook_endpoints.endpoint_id"), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", TIME),
    )
    op.create_index("webhook_secrets_of_endpoint", "webhook_secrets", ["endpoint_id", "secret_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("delivery_id", sa.Uuid, primary_key=True),
        sa.Column("endpoint_id", sa.Uuid, sa.ForeignKey("webhook_endpoints.endpoint_id"), nullable=False),
        sa.Column("partner", sa.Text, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("leased_until", TIME),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("attempts", JSONB, nullable=False),
        sa.Column("accepted_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("given_up_reason", sa.Text, nullable=False),
        sa.UniqueConstraint("endpoint_id", "event_id", name="webhook_deliveries_once"),
    )
    op.create_index("webhook_deliveries_of_partner", "webhook_deliveries", ["partner", "delivery_id"])
    op.create_index(
        "webhook_deliveries_waiting",
        "webhook_deliveries",
        ["endpoint_id", "due_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "webhook_deliveries_sending",
        "webhook_deliveries",
        ["endpoint_id", "leased_until"],
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "webhook_deliveries_ended", "webhook_deliveries", ["ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL")
    )

"""Records, the content of their versions, and who saw them."""

import sqlalchemy as sa
from alembic import op
from servicekit.database.migrations import create_kit_tables
from servicekit.database.partitions import create_default_partition
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_kit_tables(op)
    op.execute("CREATE SEQUENCE record_numbers")
    _create_heads()
    _create_versions()
    _create_accesses()


def _create_heads() -> None:
    op.create_table(
        "record_heads",
        sa.Column("record_id", sa.Uuid, primary_key=True),
        sa.Column("record_number", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("case_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("case_number", sa.Text, nullable=False),
        sa.Column("case_version", sa.Integer, nullable=False),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Uuid),
        sa.Column("staff", ARRAY(sa.Text), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("satisfaction", sa.SmallInteger, nullable=False),
        sa.Column("accepted_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("filed_at", TIME, nullable=False),
        sa.Column("missing", ARRAY(sa.Text), nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
    )
    op.create_index("ix_record_heads_case_number", "record_heads", ["case_number"])
    op.create_index("records_in_category", "record_heads", ["category", "record_id"])
    op.create_index(
        "records_in_region", "record_heads", ["region", "record_id"], postgresql_ops={"region": "text_pattern_ops"}
    )
    op.create_index("records_of_customer", "record_heads", ["customer_id", "record_id"])


def _create_versions() -> None:
    op.create_table(
        "record_versions",
        sa.Column("record_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("filed_at", TIME, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        postgresql_partition_by="RANGE (filed_at)",
    )
    create_default_partition(op, "record_versions")


def _create_accesses() -> None:
    op.create_table(
        "record_accesses",
        sa.Column("at", TIME, primary_key=True),
        sa.Column("access_id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("record_id", sa.Uuid, nullable=False),
        sa.Column("record_number", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("accesses_of_record", "record_accesses", ["record_id", "at"])
    op.create_index("accesses_of_user", "record_accesses", ["user_id", "at"])
    create_default_partition(op, "record_accesses")

"""The Merkle log, requests to open records, holds and destructions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("record_heads", sa.Column("retention_class", sa.Text, nullable=False, server_default=""))
    op.add_column("record_heads", sa.Column("destroyed_at", TIME))
    op.add_column("record_accesses", sa.Column("request_id", sa.Uuid))
    _create_log()
    _create_requests()
    _create_holds()
    _create_destructions()
    _enter_what_was_filed_before()


def _create_log() -> None:
    op.create_table(
        "log_entries",
        sa.Column("entry_id", sa.Uuid, primary_key=True),
        sa.Column("leaf_index", sa.BigInteger, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("record_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("entry", sa.LargeBinary),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("queued_at", TIME, nullable=False, server_default=sa.func.clock_timestamp()),
    )
    op.create_index("log_entries_waiting", "log_entries", ["entry_id"], postgresql_where=sa.text("leaf_index IS NULL"))
    op.create_index(
        "log_entries_of_versions",
        "log_entries",
        ["record_id", "version"],
        unique=True,
        postgresql_where=sa.text("kind = 'record_filed'"),
    )
    op.create_index("log_entries_of_record", "log_entries", ["record_id", "kind"])
    op.create_index("log_entries_by_hash", "log_entries", ["leaf_hash"])
    op.create_table(
        "log_tiles",
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("tile_index", sa.BigInteger, primary_key=True),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_heads",
        sa.Column("tree_size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("serial", sa.Integer, nullable=False, unique=True),
        sa.Column("timestamp_ms", sa.BigInteger, nullable=False),
        sa.Column("root_hash", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
    )
    op.create_table(
        "log_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("x", sa.Text, nullable=False),
        sa.Column("first_used_at", TIME, nullable=False),
    )


def _create_requests() -> None:
    op.create_table(
        "record_access_requests",
        sa.Column("request_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("record_id", sa.Uuid, nullable=False),
        sa.Column("record_number", sa.Text, nullable=False),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("approvals_needed", sa.Integer, nullable=False),
        sa.Column("approved_by", ARRAY(sa.Text), nullable=False),
        sa.Column("rejected_by", sa.Text, nullable=False),
        sa.Column("rejected_reason", sa.Text, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("opened_times", sa.Integer, nullable=False),
    )
    op.create_index("access_requests_by_person", "record_access_requests", ["requested_by", "request_id"])
    op.create_index("access_requests_by_state", "record_access_requests", ["state", "request_id"])


def _create_holds() -> None:
    op.create_table(
        "record_holds",
        sa.Column("hold_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("record_id", sa.Uuid, nullable=False),
        sa.Column("record_number", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("placed_by", sa.Text, nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
        sa.Column("released_by", sa.Text, nullable=False),
        sa.Column("released_at", TIME),
    )
    op.create_index("holds_of_record", "record_holds", ["record_id", "hold_id"])


def _create_destructions() -> None:
    op.create_table(
        "record_destructions",
        sa.Column("destruction_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("record_id", sa.Uuid, nullable=False),
        sa.Column("record_number", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("approvals_needed", sa.Integer, nullable=False),
        sa.Column("approved_by", ARRAY(sa.Text), nullable=False),
        sa.Column("rejected_by", sa.Text, nullable=False),
        sa.Column("destroyed_at", TIME),
        # The log's entry that certifies it.
        sa.Column("certificate_id", sa.Uuid),
    )
    op.create_index("destructions_by_state", "record_destructions", ["state", "destruction_id"])


def _enter_what_was_filed_before() -> None:
    """The same form as records.log.entries, without the hash of a catalogue entry that may have changed since."""
    op.execute(
        r"""
        INSERT INTO log_entries (entry_id, kind, record_id, version, at, entry, leaf_hash)
        SELECT entry_id, 'record_filed', record_id, version, filed_at, entry, sha256('\x00'::bytea || entry)
        FROM (
            SELECT entry_id, record_id, version, filed_at, convert_to(format(
                '{"at":"%s","entry_id":"%s","facts":{"content_hash":"%s","record_id":"%s","version":"%s"},'
                '"kind":"record_filed","salt":"%s"}',
                to_char(filed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00'),
                entry_id, content_hash, record_id, version,
                encode(decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), 'base64')
            ), 'UTF8') AS entry
            FROM (SELECT gen_random_uuid() AS entry_id, * FROM record_versions OFFSET 0) AS filed
        ) AS entries
        """
    )

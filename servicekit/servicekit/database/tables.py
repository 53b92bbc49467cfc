"""The tables that every service has for its own bookkeeping: outbox, inbox and idempotency keys.

They live in each service's own database beside its business tables and share one transaction with them. Plain Core
tables, because every statement on them is on a hot path. `servicekit.deadlines.tables` adds its table to the same
metadata; a service's first migration creates all of them with `servicekit.database.migrations.create_kit_tables`.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

kit_metadata = MetaData()

outbox = Table(
    "outbox",
    kit_metadata,
    # Not the commit order: order within one entity follows from the row lock on the aggregate and its version.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("entity_version", Integer, nullable=False),
    Column("case_id", Text, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False, comment="The message as proto JSON, UTF-8"),
    Column("headers", JSONB, nullable=False, comment="Ready headers of the message: ce-type and traceparent"),
    Column("created_at", DateTime(timezone=True), nullable=False, comment="Platform time; becomes ce-time"),
    Column(
        "real_created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="Real time, for the age of waiting rows: platform time can be advanced",
    ),
    Column("published_at", DateTime(timezone=True), comment="Real time of the broker's acknowledgement"),
    Column("parked_reason", Text, comment="Why the relay set the row aside"),
)
# For the relay, and for the measure of what waits and what is parked.
Index("outbox_unpublished", outbox.c.id, postgresql_where=outbox.c.published_at.is_(None))

inbox = Table(
    "inbox",
    kit_metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("case_id", Text, nullable=False, server_default=""),
)

inbox_failures = Table(
    "inbox_failures",
    kit_metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
)

idempotency_keys = Table(
    "idempotency_keys",
    kit_metadata,
    Column("scope", Text, primary_key=True, comment="Which creation, and whose key: two callers may choose one key"),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False, comment="Digest of the request that first used the key"),
    Column("entity_id", Uuid, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
)
# Tiny, and nearly free to keep up: rows lie in the order in which they came.
Index("idempotency_keys_age", idempotency_keys.c.created_at, postgresql_using="brin")

"""Where the log is stored: its entries, the tiles of its tree, its signed heads and their keys."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import BigInteger, Column, DateTime, Index, func, text
from sqlmodel import Field, SQLModel


class EntryRow(SQLModel, table=True):
    """One entry. Never changed but twice: it gets its place, and its bytes go when what it is about is destroyed.

    Not partitioned: the database itself must refuse the same place, and the same version of a record, twice.
    """

    __tablename__ = "log_entries"
    __table_args__ = (
        Index("log_entries_waiting", "entry_id", postgresql_where=text("leaf_index IS NULL")),
        Index(
            "log_entries_of_versions",
            "record_id",
            "version",
            unique=True,
            postgresql_where=text("kind = 'record_filed'"),
        ),
        Index("log_entries_of_record", "record_id", "kind"),
        Index("log_entries_by_hash", "leaf_hash"),
    )

    entry_id: UUID = Field(primary_key=True)
    # Its place in the log; none while it waits for the sequencer.
    leaf_index: int | None = Field(default=None, sa_type=BigInteger, unique=True)
    kind: str
    record_id: UUID | None
    version: int
    at: datetime = Field(sa_type=UTC_TIME)
    entry: bytes | None
    leaf_hash: bytes
    # Real time: platform time can be advanced.
    queued_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())
    )


class TileRow(SQLModel, table=True):
    """A tile of the tree, see tiles.py."""

    __tablename__ = "log_tiles"

    level: int = Field(primary_key=True)
    tile_index: int = Field(primary_key=True, sa_type=BigInteger)
    hashes: bytes


class HeadRow(SQLModel, table=True):
    """A signed head, one for each batch that the log grew by."""

    __tablename__ = "log_heads"

    tree_size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    # 1, 2, 3 …
    serial: int = Field(unique=True)
    # Milliseconds since 1970.
    timestamp_ms: int = Field(sa_type=BigInteger)
    root_hash: bytes
    signature: bytes
    key_id: str


class LogKeyRow(SQLModel, table=True):
    """A public key that heads were signed with: they have to verify as long as the log is kept."""

    __tablename__ = "log_keys"

    # Thumbprint (RFC 7638).
    key_id: str = Field(primary_key=True)
    # The key's 32 bytes in base64url, as a JSON Web Key has them.
    x: str
    first_used_at: datetime = Field(sa_type=UTC_TIME)


ENTRIES = EntryRow.__table__  # type: ignore[attr-defined]
TILES = TileRow.__table__  # type: ignore[attr-defined]
HEADS = HeadRow.__table__  # type: ignore[attr-defined]
KEYS = LogKeyRow.__table__  # type: ignore[attr-defined]

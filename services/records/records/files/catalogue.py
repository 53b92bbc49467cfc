"""What a record swears to in the log: its content and its entry in the catalogue, as they were filed (REC-04). Pure."""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

from records.files.record import Record
from records.log.entries import canonical

# The columns of the catalogue that never change for one version. What comes later is not among them: entries that were
# hashed before would no longer fit.
SWORN: Final = (
    "record_id",
    "record_number",
    "version",
    "record_class",
    "case_id",
    "case_number",
    "case_version",
    "grade",
    "category",
    "kind",
    "region",
    "customer_id",
    "staff",
    "outcome",
    "result",
    "satisfaction",
    "accepted_at",
    "closed_at",
    "filed_at",
    "missing",
    "content_hash",
)


def catalogue_bytes(record: Record) -> bytes:
    """The record's entry in the catalogue, in canonical JSON."""
    return canonical({name: _plain(getattr(record, name)) for name in SWORN})


def catalogue_hash(record: Record) -> str:
    """SHA-256 of `catalogue_bytes`, in hexadecimal."""
    return hashlib.sha256(catalogue_bytes(record)).hexdigest()


def filed_facts(record: Record) -> dict[str, str]:
    """What the log is told of a version."""
    return {
        "record_id": str(record.record_id),
        "record_number": record.record_number,
        "version": str(record.version),
        "content_hash": record.content_hash,
        "catalogue_hash": catalogue_hash(record),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if value is None or isinstance(value, int):
        return value
    return [str(each) for each in value] if isinstance(value, list) else str(value)

"""The package of a record for a court, a regulator or the customer, with proofs that are verifiable offline (REC-07).

```
R…-v2/
  bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt
  data/record.json                 the record as it was shown to who exported it
  data/record.zh-CN.html  .en.html the same for reading
  data/catalogue.json              its entry in the catalogue, as it was hashed
  data/content/version-1.json …    every version's content, as it was hashed: personal texts sealed
  proofs/version-1.json …          each version's entry in the log with its way up to the signed head
  proofs/keys.json                 the public keys of the log
```
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.languages import LANGUAGES
from servicekit.moments import CHINA_TIME
from sqlalchemy import select

from records.accesses.commands import Opened
from records.exports.bag import zipped_bag
from records.exports.readable import ClearText, readable, watermark
from records.files.catalogue import catalogue_bytes
from records.files.queries import find_record
from records.files.record import Record
from records.files.tables import VERSIONS
from records.log.entries import canonical
from records.log.queries import Inclusion, prove_versions
from standards import Standards

MEDIA_TYPE = "application/zip"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the log and the store have for a record: content and proof of each version, oldest first."""

    contents: Mapping[int, bytes]
    proofs: Sequence[Inclusion]


async def collect_evidence(tx: UnitOfWork, record: Record) -> Evidence:
    """Of the versions that there were when the record was opened; it may have been filed again since.

    Raises Fault log_entry_waiting for a version that was filed a moment ago, record_destroyed for one that was
    destroyed meanwhile, record_unknown when somebody took one away.
    """
    of_record = VERSIONS.c.record_id == record.record_id, VERSIONS.c.version <= record.version
    statement = select(VERSIONS.c.version, VERSIONS.c.content).where(*of_record)
    contents = {row.version: row.content for row in await tx.execute(statement.order_by(VERSIONS.c.version))}
    if list(contents) != list(range(1, record.version + 1)):
        today = await find_record(tx, str(record.record_id))
        raise Fault("record_destroyed" if today.destroyed_at else "record_unknown")
    return Evidence(contents, await prove_versions(tx, record.record_id, contents))


def package_name(record: Record) -> str:
    """The folder in the package, and the file's name without `.zip`."""
    return f"{record.record_number}-v{record.version}"


def build_package(
    opened: Opened,
    *,
    shown: Message,
    texts: Sequence[ClearText],
    evidence: Evidence,
    proofs: Sequence[Message],
    keys: Message,
    standards: Standards,
) -> bytes:
    """The ZIP file. `shown` is the record as the contract shows it; `proofs` and `keys` are as the log's contract."""
    record, request = opened.record, opened.request
    payload = {
        "record.json": _json(shown),
        **{f"record.{language}.html": readable(opened, texts, standards, language).encode() for language in LANGUAGES},
        "catalogue.json": catalogue_bytes(record),
        **{f"content/version-{version}.json": content for version, content in evidence.contents.items()},
    }
    versions = zip(evidence.contents, proofs, strict=True)
    tags = {f"proofs/version-{version}.json": _json(proof) for version, proof in versions}
    info = {
        "Source-Organization": "Bihuan",
        "Bagging-Date": opened.opened_at.astimezone(CHINA_TIME).date().isoformat(),
        "External-Identifier": record.record_number,
        "Internal-Sender-Identifier": str(request.request_id),
        "Internal-Sender-Description": watermark(opened, "en"),
    }
    return zipped_bag(package_name(record), payload, {**tags, "proofs/keys.json": _json(keys)}, info, opened.opened_at)


def _json(message: Message) -> bytes:
    return canonical(MessageToDict(message, preserving_proto_field_name=True))

"""A whole log in a file: a line of JSON for each page, as the platform answers `/v1/record-log/entries`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from bihuan_verify.audit import AuditedEntry, check_log
from bihuan_verify.documents import DocumentError, Head, list_of, number, read_head, read_inclusion, read_json
from bihuan_verify.findings import Outcome


def check_log_file(file: IO[bytes], keys: Mapping[str, bytes]) -> Outcome:
    """Checks the log that was written to `file`, a page in memory at a time. Raises DocumentError.

    The head of the first page counts: entries that came in while the pages were fetched stand behind it.
    """
    file.seek(0)
    first = next(read_pages(file), None)
    if first is None:
        raise DocumentError("file_empty")
    head = head_of(first)
    file.seek(0)
    return check_log(entries_of(read_pages(file), head.tree_size), head, keys)


def read_pages(lines: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    """Each page. Raises DocumentError."""
    for line in lines:
        if line.strip():
            yield read_json(line)


def head_of(page: Mapping[str, Any]) -> Head:
    """The head that came with a page. Raises DocumentError."""
    head = page.get("head")
    if not isinstance(head, dict):
        raise DocumentError("part_missing", name="head")
    return read_head(head)


def entries_of(pages: Iterable[Mapping[str, Any]], upto: int) -> Iterator[AuditedEntry]:
    """The entries of all pages in order, below the size `upto`. Raises DocumentError."""
    for page in pages:
        for entry in list_of(page, "entries"):
            audited = _entry_of(entry)
            if audited.leaf_index < upto:
                yield audited


def _entry_of(document: Any) -> AuditedEntry:
    if not isinstance(document, dict):
        raise DocumentError("not_an_object")
    found = document.get("found", {})
    # The same encoding of bytes and numbers as in a proof.
    as_proof = read_inclusion({**document, "path": [document.get("leaf_hash", "")], "head": {}})
    return AuditedEntry(
        leaf_index=as_proof.leaf_index,
        entry=as_proof.entry,
        leaf_hash=as_proof.path[0],
        kind=str(document.get("kind", "")),
        record_id=str(document.get("record_id", "")),
        version=number(document, "version"),
        found={str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {},
    )

"""The audit of a whole log: does every entry lead to the signed root, and does the archive still hold what was filed?

It finds rows that were changed, deleted, exchanged or put back directly in the database, and names them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bihuan_verify.documents import DocumentError, Head, facts_of, read_json
from bihuan_verify.findings import Outcome
from bihuan_verify.merkle import leaf_hash, root_of_leaves
from bihuan_verify.signatures import SignatureError, check_head

FILED = "record_filed"
DESTROYED = "record_destroyed"
# Facts that the archive's rows are hashed into again, and what it means when they differ.
COMPARED = {"content_hash": "content_changed", "catalogue_hash": "catalogue_changed"}
LOST = {"content_hash": "content_lost", "catalogue_hash": "catalogue_lost"}


@dataclass(frozen=True)
class AuditedEntry:
    """One entry of the log, and its facts computed anew from what the archive holds today."""

    leaf_index: int
    entry: bytes
    leaf_hash: bytes
    kind: str
    record_id: str
    version: int
    found: Mapping[str, str]


def check_log(entries: Iterable[AuditedEntry], head: Head, keys: Mapping[str, bytes]) -> Outcome:
    """Every entry up to the head, in order. Reads them once, whatever their number."""
    outcome = Outcome()
    try:
        check_head(head, keys)
    except SignatureError as wrong:
        outcome.wrong("head_wrong", detail=wrong)
    reading = _Reading(outcome)
    root = root_of_leaves(reading.leaves(entries))
    if reading.count != head.tree_size:
        outcome.wrong("log_shortened", detail=f"{reading.count} / {head.tree_size}")
    elif root != head.root_hash:
        outcome.wrong("root_wrong", detail=root.hex())
    reading.judge_records()
    if not outcome.findings:
        outcome.well("log_whole", entries=reading.count, records=len(reading.newest))
    return outcome


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest version of a record, as far as it was read."""

    version: int
    # How the version is named where the archive has no entry for it in its catalogue, as the log says it should.
    not_in_catalogue: str


class _Reading:
    """What is remembered while the entries go by: a little of each record, and no entry."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.count = 0
        # Of each record the newest version that was filed.
        self.newest: dict[str, _Newest] = {}
        # Empty entries by the record that the archive says they were of; nothing swears to that.
        self.emptied: defaultdict[str, list[int]] = defaultdict(list)
        # How many versions of a record were destroyed, by its certificate.
        self.destroyed: dict[str, str] = {}

    def leaves(self, entries: Iterable[AuditedEntry]) -> Iterable[bytes]:
        for entry in entries:
            if entry.leaf_index != self.count:
                self.outcome.wrong("entry_lost", str(self.count))
                # One finding is enough: everything behind a gap has another place.
                self.count = entry.leaf_index
            self.count += 1
            self._take(entry)
            yield leaf_hash(entry.entry) if entry.entry else entry.leaf_hash

    def _take(self, entry: AuditedEntry) -> None:
        if not entry.entry:
            self.emptied[entry.record_id].append(entry.leaf_index)
            return
        if leaf_hash(entry.entry) != entry.leaf_hash:
            self.outcome.wrong("entry_changed", str(entry.leaf_index))
            return
        try:
            facts = facts_of(entry.entry)
            told = read_json(entry.entry).get("kind")
        except DocumentError as wrong:
            self.outcome.wrong("entry_changed", str(entry.leaf_index), wrong)
            return
        if told != entry.kind or facts.get("record_id", entry.record_id) != entry.record_id:
            self.outcome.wrong("entry_changed", str(entry.leaf_index), entry.kind)
        if told == DESTROYED and "record_id" in facts:
            self.destroyed[facts["record_id"]] = facts.get("versions", "")
        if told != FILED:
            return
        where = _name(facts)
        known = self.newest.get(entry.record_id)
        if known is None or known.version < entry.version:
            is_lost = "catalogue_hash" in facts and "catalogue_hash" not in entry.found
            self.newest[entry.record_id] = _Newest(entry.version, where if is_lost else "")
        for fact, changed in COMPARED.items():
            if fact in facts and fact in entry.found and facts[fact] != entry.found[fact]:
                self.outcome.wrong(changed, where)
        if "content_hash" not in entry.found:
            self.outcome.wrong(LOST["content_hash"], where)

    def judge_records(self) -> None:
        """What can be said only when everything was read."""
        for newest in self.newest.values():
            if newest.not_in_catalogue:
                self.outcome.wrong(LOST["catalogue_hash"], newest.not_in_catalogue)
        for record_id, indexes in self.emptied.items():
            sworn = self.destroyed.get(record_id)
            if sworn is None:
                for index in indexes:
                    self.outcome.wrong("entry_emptied", str(index), record_id)
            elif sworn != str(len(indexes)):
                # Only the versions that were filed lose their bytes; which entry is one too many, nobody can tell.
                self.outcome.wrong("too_many_emptied", record_id, ", ".join(map(str, indexes)))


def _name(facts: Mapping[str, Any]) -> str:
    return f"{facts.get('record_number', facts.get('record_id', '-'))} v{facts.get('version', '-')}"

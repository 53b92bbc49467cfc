"""A package that was exported for a court, a regulator or a customer: is it whole, and is it what the log swears to?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from bihuan_verify.bag import PAYLOAD, check_bag, read_bag
from bihuan_verify.documents import DocumentError, read_inclusion, read_json, read_keys
from bihuan_verify.findings import Outcome
from bihuan_verify.merkle import ProofError
from bihuan_verify.proofs import check_inclusion_proof
from bihuan_verify.signatures import SignatureError

KEYS = "proofs/keys.json"
CATALOGUE = "data/catalogue.json"
FILED = "record_filed"
_CONTENT = re.compile(r"data/content/version-([1-9][0-9]{0,8})\.json")


def check_package(content: bytes, trusted: Mapping[str, bytes] | None = None) -> Outcome:
    """`trusted`: the log's keys as the checker knows them from elsewhere. Without them those of the package count,
    which proves that it is of one piece and no more; the outcome says so."""
    outcome = Outcome()
    try:
        files = read_bag(content)
        check_bag(files, outcome)
        keys = trusted if trusted is not None else read_keys(read_json(files.get(KEYS, b"{}")))
    except DocumentError as wrong:
        outcome.wrong("unreadable", detail=wrong)
        return outcome
    versions = sorted(int(found[1]) for path in files if (found := _CONTENT.fullmatch(path)))
    if not versions:
        outcome.wrong("file_missing", "data/content/")
    record_ids: set[str] = set()
    sworn: set[str] = set()
    for version in versions:
        facts = _check_version(files, version, keys, outcome)
        if facts is None:
            continue
        record_ids.add(facts["record_id"])
        sworn.add(f"data/content/version-{version}.json")
        if "catalogue_hash" in facts and version == versions[-1]:
            sworn.add(CATALOGUE)
        if version == versions[-1]:
            _check_catalogue(files.get(CATALOGUE, b""), facts, outcome)
    if len(record_ids) > 1:
        outcome.wrong("records_mixed", detail=", ".join(sorted(record_ids)))
    if unsworn := sorted(path for path in files if path.startswith(PAYLOAD) and path not in sworn):
        outcome.well("unsworn", files=", ".join(unsworn), sha256=_sha256(content))
    if versions and versions != list(range(1, versions[-1] + 1)):
        outcome.wrong("version_missing", detail=versions)
    if trusted is None:
        outcome.well("keys_untrusted", keys=", ".join(sorted(keys)))
    return outcome


def _check_version(
    files: Mapping[str, bytes], version: int, keys: Mapping[str, bytes], outcome: Outcome
) -> Mapping[str, str] | None:
    """What the log swears to of a version, or None when this is not that version."""
    where = f"proofs/version-{version}.json"
    try:
        proof = read_inclusion(read_json(files.get(where, b"")))
        check_inclusion_proof(proof, keys)
        kind, facts = read_json(proof.entry).get("kind"), proof.facts
    except (DocumentError, ProofError, SignatureError) as wrong:
        outcome.wrong("proof_wrong", where, wrong)
        return None
    path = f"data/content/version-{version}.json"
    sworn = {"version": str(version), "content_hash": _sha256(files[path])}
    if kind != FILED or not facts.get("record_id") or any(facts.get(name) != sworn[name] for name in sworn):
        outcome.wrong("content_unproven", path)
        return None
    outcome.well("version_proven", version=version, index=proof.leaf_index, size=proof.head.tree_size)
    return facts


def _check_catalogue(content: bytes, facts: Mapping[str, str], outcome: Outcome) -> None:
    """Its entry in the catalogue belongs to the newest version.

    Of what was filed before there was a log, the log has no hash of it.
    """
    try:
        told = read_json(content).get("record_id")
    except DocumentError:
        told = None
    if told != facts["record_id"] or facts.get("catalogue_hash", _sha256(content)) != _sha256(content):
        outcome.wrong("content_unproven", CATALOGUE)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

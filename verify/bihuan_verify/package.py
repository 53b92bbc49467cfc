"""A package that was exported for a court, a regulator or a customer: is it whole, and is it what the log swears to?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from bihuan_verify.bag import check_bag, read_bag
from bihuan_verify.documents import DocumentError, read_inclusion, read_json, read_keys
from bihuan_verify.findings import Outcome
from bihuan_verify.merkle import ProofError
from bihuan_verify.proofs import check_inclusion_proof
from bihuan_verify.signatures import SignatureError

KEYS = "proofs/keys.json"
CATALOGUE = "data/catalogue.json"
_CONTENT = re.compile(r"data/content/version-(\d+)\.json")


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
    for version in versions:
        _check_version(files, version, keys, outcome, is_newest=version == versions[-1])
    if versions and versions != list(range(1, versions[-1] + 1)):
        outcome.wrong("version_missing", detail=versions)
    if trusted is None:
        outcome.well("keys_untrusted", keys=", ".join(sorted(keys)))
    return outcome


def _check_version(
    files: Mapping[str, bytes], version: int, keys: Mapping[str, bytes], outcome: Outcome, *, is_newest: bool
) -> None:
    where = f"proofs/version-{version}.json"
    try:
        proof = read_inclusion(read_json(files.get(where, b"")))
        check_inclusion_proof(proof, keys)
        facts = proof.facts
    except (DocumentError, ProofError, SignatureError) as wrong:
        outcome.wrong("proof_wrong", where, wrong)
        return
    path = f"data/content/version-{version}.json"
    if facts.get("version") != str(version) or facts.get("content_hash") != _sha256(files[path]):
        outcome.wrong("content_unproven", path)
    elif is_newest and facts.get("catalogue_hash") != _sha256(files.get(CATALOGUE, b"")):
        outcome.wrong("content_unproven", CATALOGUE)
    else:
        outcome.well("version_proven", version=version, index=proof.leaf_index, size=proof.head.tree_size)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

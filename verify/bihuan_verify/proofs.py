"""Proofs that stand alone: of one entry, such as a certificate of destruction, and of a log's growth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bihuan_verify.documents import Consistency, DocumentError, Head, Inclusion, read_json
from bihuan_verify.findings import Outcome
from bihuan_verify.merkle import ProofError, check_consistency, check_inclusion, leaf_hash
from bihuan_verify.signatures import SignatureError, check_head


def check_inclusion_proof(proof: Inclusion, keys: Mapping[str, bytes]) -> None:
    """Raises SignatureError or ProofError."""
    check_head(proof.head, keys)
    check_inclusion(leaf_hash(proof.entry), proof.leaf_index, proof.head.tree_size, proof.path, proof.head.root_hash)


def check_entry(proof: Inclusion, keys: Mapping[str, bytes]) -> Outcome:
    """One entry with its proof, such as a certificate of destruction."""
    outcome = Outcome()
    try:
        check_inclusion_proof(proof, keys)
        entry = read_json(proof.entry)
    except (ProofError, SignatureError, DocumentError) as wrong:
        outcome.wrong("proof_wrong", detail=wrong)
        return outcome
    outcome.well("entry_proven", kind=entry.get("kind"), at=entry.get("at"), index=proof.leaf_index)
    for name, value in sorted(proof.facts.items()):
        outcome.well("fact", name=name, value=value)
    return outcome


def check_growth(old: Head, proof: Consistency, keys: Mapping[str, bytes]) -> Outcome:
    """Whether the log of `old` is the beginning of the one that the proof ends with."""
    outcome = Outcome()
    try:
        check_head(old, keys)
        check_head(proof.head, keys)
        if proof.first_size != old.tree_size:
            raise ProofError("other_beginning", first=proof.first_size, old=old.tree_size)
        check_consistency(old.tree_size, old.root_hash, proof.head.tree_size, proof.head.root_hash, proof.path)
    except (ProofError, SignatureError) as wrong:
        outcome.wrong("growth_wrong", detail=wrong)
        return outcome
    outcome.well("growth_proven", old=old.tree_size, new=proof.head.tree_size, signed=_moment(proof.head))
    return outcome


def _moment(head: Head) -> str:
    try:
        return datetime.fromtimestamp(head.timestamp_ms / 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        # Signed, and beyond every calendar.
        return f"{head.timestamp_ms} ms"

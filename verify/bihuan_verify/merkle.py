"""Merkle proofs as in RFC 9162, section 2.1: what a leaf and a proof say the root is. Pure.

Written from the RFC, and on purpose not shared with the platform: a mistake there must not be repeated here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from bihuan_verify.findings import CheckError

HASH_BYTES = 32


class ProofError(CheckError):
    """The proof does not prove what it claims."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that follows from a leaf and its path (2.1.3.2). Raises ProofError when the path has a wrong length."""
    if not 0 <= index < size:
        raise ProofError("leaf_outside")
    position, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError("path_too_long")
        if position & 1 or position == last:
            root = node_hash(sibling, root)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("path_too_short")
    return root


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raises ProofError unless the leaf is in the tree with this root."""
    _require_hashes([leaf, root, *path])
    if root_of_inclusion(leaf, index, size, path) != root:
        raise ProofError("leaf_not_in_root")


def check_consistency(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> None:
    """Raises ProofError unless the first tree is the beginning of the second (2.1.4.2)."""
    _require_hashes([first_root, second_root, *path])
    if not 0 < first <= second:
        raise ProofError("sizes_unfit")
    if first == second:
        if path or first_root != second_root:
            raise ProofError("heads_differ")
        return
    # A first tree that is a complete subtree need not be sent: its root is known.
    hashes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not hashes:
        raise ProofError("path_too_short")
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError("path_too_long")
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("path_too_short")
    if old != first_root or new != second_root:
        raise ProofError("not_the_beginning")


def root_of_leaves(leaves: Iterable[bytes]) -> bytes:
    """The root over all leaves in order, in memory for one branch only."""
    # Complete subtrees from left to right, each with its number of leaves.
    branch: list[tuple[int, bytes]] = []
    for leaf in leaves:
        count, root = 1, leaf
        while branch and branch[-1][0] == count:
            count, root = count * 2, node_hash(branch.pop()[1], root)
        branch.append((count, root))
    if not branch:
        return hashlib.sha256(b"").digest()
    root = branch.pop()[1]
    while branch:
        root = node_hash(branch.pop()[1], root)
    return root


def _require_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofError("hash_length", bytes=HASH_BYTES)

"""The Merkle tree of RFC 9162, section 2.1: hashes, and what its proofs are made of. Pure.

A tree over n leaves is cut into ranges of leaves `(start, end)`. A proof is a list of hashes of such ranges; each range
is made of complete subtrees, whose hashes never change once their leaves are there.
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from servicekit.errors import Fault

Range = tuple[int, int]


class Subtree(NamedTuple):
    """A complete subtree: the leaves from `position * 2**height` on, `2**height` of them."""

    height: int
    position: int


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The siblings on the way from leaf `index` to the root of a tree of `size` leaves: PATH of RFC 9162, 2.1.3.1.

    Raises Fault log_size_invalid for a leaf that is not in the tree.
    """
    if not 0 <= index < size:
        raise Fault("log_size_invalid", field="tree_size")
    start, end = 0, size
    siblings: list[Range] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    return siblings[::-1]


def consistency_ranges(first: int, second: int) -> list[Range]:
    """What proves that a tree of `first` leaves is the beginning of one of `second`: PROOF of RFC 9162, 2.1.4.1.

    Raises Fault log_size_invalid unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise Fault("log_size_invalid", field="first_size")
    start, end = 0, second
    # Whoever asks knows the hash of the first tree; while we stay at its root, it need not be sent.
    is_known = True
    siblings: list[Range] = []
    while first < end:
        middle = start + _split(end - start)
        if first <= middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
            is_known = False
    if not is_known:
        siblings.append((start, end))
    return siblings[::-1]


def subtrees_of(leaves: Range) -> list[Subtree]:
    """The complete subtrees that a range of the tree is made of, from left to right, each lower than the one before."""
    start, end = leaves
    parts: list[Subtree] = []
    while start < end:
        height = (end - start).bit_length() - 1
        parts.append(Subtree(height, start >> height))
        start += 1 << height
    return parts


def range_hash(leaves: Range, hash_of: Callable[[Subtree], bytes]) -> bytes:
    """The hash of a range, from those of its complete subtrees."""
    hashes = [hash_of(part) for part in subtrees_of(leaves)]
    if not hashes:
        return EMPTY_ROOT
    digest = hashes.pop()
    while hashes:
        digest = node_hash(hashes.pop(), digest)
    return digest


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of neighbouring subtrees of one height."""
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in list(pairwise(hashes))[::2]]
    return hashes[0]


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << ((count - 1).bit_length() - 1)

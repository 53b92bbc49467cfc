"""The Merkle tree of RFC 9162 against known vectors, a plain recursion, and the separate verifier (REC-04)."""

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest
from bihuan_verify import merkle
from hypothesis import given, settings
from hypothesis import strategies as st
from records.log.tiles import append, hashes_of, last_places, places_of
from records.log.tree import EMPTY_ROOT, consistency_ranges, inclusion_ranges, leaf_hash, node_hash
from servicekit.errors import Fault

# The inputs and roots of the reference vectors of Certificate Transparency (RFC 6962's and RFC 9162's tree).
INPUTS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Sizes around everything that changes the shape of the tree or of its tiles.
SIZES = st.one_of(st.integers(1, 70), st.sampled_from([255, 256, 257, 511, 512, 513, 700]))


def plain_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162 writes it down."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


def grow(leaves: list[bytes], *batches: int) -> dict:
    """The tiles of a tree that grew in these batches, and then to its end."""
    tiles, size = {}, 0
    for batch in (*batches, len(leaves)):
        new = leaves[size : size + batch]
        known = {place: tiles[place] for place in last_places(size) if place in tiles}
        tiles |= append(known, size, new)
        size += len(new)
    return tiles


LEAVES = [leaf_hash(str(number).encode()) for number in range(70_000)]


@pytest.mark.parametrize("size", range(1, 9))
def test_rec_04_the_roots_are_those_of_the_reference_vectors(size):
    leaves = [leaf_hash(entry) for entry in INPUTS[:size]]
    assert hashes_of([(0, size)], grow(leaves))[0].hex() == ROOTS[size - 1]


def test_rec_04_proofs_are_those_of_the_reference_vectors():
    tiles = grow([leaf_hash(entry) for entry in INPUTS])
    path = [each.hex()[:8] for each in hashes_of(inclusion_ranges(5, 8), tiles)]
    assert path == ["bc1a0643", "ca854ea1", "d37ee418"]
    grown = [each.hex()[:8] for each in hashes_of(consistency_ranges(6, 8), tiles)]
    assert grown == ["0ebc5d34", "ca854ea1", "d37ee418"]


def test_the_empty_tree_has_its_own_root():
    assert hashes_of([(0, 0)], {}) == [EMPTY_ROOT]


@settings(max_examples=60)
@given(SIZES, st.data())
def test_rec_04_every_proof_convinces_the_verifier_and_no_other(size, data):
    batches = data.draw(st.lists(st.integers(1, 300), max_size=5))
    leaves, index = LEAVES[:size], data.draw(st.integers(0, size - 1))
    tiles = grow(leaves, *batches)
    (root,) = hashes_of([(0, size)], tiles)
    assert root == plain_root(leaves)
    path = hashes_of(inclusion_ranges(index, size), tiles)
    assert merkle.root_of_inclusion(leaves[index], index, size, path) == root
    if size > 1:
        other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index))
        with_other = merkle.root_of_inclusion(leaves[other], index, size, path)
        assert with_other != root
    first = data.draw(st.integers(1, size))
    proof = hashes_of(consistency_ranges(first, size), tiles)
    merkle.check_consistency(first, plain_root(leaves[:first]), size, root, proof)
    with pytest.raises(merkle.ProofError):
        merkle.check_consistency(first, leaf_hash(b"another"), size, root, proof)


def test_rec_04_a_proof_in_a_large_log_reads_a_few_tiles():
    tiles = grow(LEAVES, 1, 1000, 30_000)
    ranges = inclusion_ranges(12_345, len(LEAVES))
    assert len(ranges) <= 17
    assert len(places_of(ranges)) <= 7
    needed = {place: tiles[place] for place in places_of(ranges)}
    path = hashes_of(ranges, needed)
    (root,) = hashes_of([(0, len(LEAVES))], tiles)
    assert merkle.root_of_inclusion(LEAVES[12_345], 12_345, len(LEAVES), path) == root


@pytest.mark.parametrize(("first", "second"), [(0, 5), (6, 5)])
def test_sizes_that_cannot_be_are_refused(first, second):
    with pytest.raises(Fault, match="log_size_invalid"):
        consistency_ranges(first, second)
    with pytest.raises(Fault, match="log_size_invalid"):
        inclusion_ranges(second, second)


VECTORS = os.environ.get("BIHUAN_MERKLE_VECTORS", "")


def outcome(check) -> bool:
    try:
        check()
    except merkle.ProofError:
        return False
    return True


@pytest.mark.skipif(not VECTORS, reason="BIHUAN_MERKLE_VECTORS names no folder with public proof vectors")
def test_rec_04_public_vectors_good_and_bad():
    """Files of proofs with `wantErr`, as logs of Certificate Transparency are tested with."""
    judged = 0
    for file in sorted(Path(VECTORS).rglob("*.json")):
        vector = json.loads(file.read_text())
        proof = [base64.b64decode(each) for each in vector["proof"] or []]
        decoded = {
            name: base64.b64decode(value) for name, value in vector.items() if name.startswith(("root", "leafH"))
        }
        if "leafIdx" in vector:

            def check(vector=vector, decoded=decoded, proof=proof):
                merkle.check_inclusion(
                    decoded["leafHash"], vector["leafIdx"], vector["treeSize"], proof, decoded["root"]
                )
        else:

            def check(vector=vector, decoded=decoded, proof=proof):
                merkle.check_consistency(vector["size1"], decoded["root1"], vector["size2"], decoded["root2"], proof)

        assert outcome(check) is not vector["wantErr"], file
        judged += 1
    assert judged > 10

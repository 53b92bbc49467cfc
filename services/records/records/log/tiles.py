"""How the tree is stored: in tiles of up to 256 neighbouring hashes, so that a proof reads a few rows. Pure.

Tile (level, position) holds the hashes of the complete subtrees of height `8 * level`, from the `256 * position`th on:
level 0 the leaves, level 1 the roots of full tiles of level 0, and so on. A full tile never changes; appending touches
only the last tile of each level. Everything between is computed within one tile.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from records.log.tree import Range, Subtree, fold, range_hash, subtrees_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
HASH_BYTES = 32


class Place(NamedTuple):
    """Where a tile is."""

    level: int
    position: int


# Hashes of each tile, one after the other.
Tiles = Mapping[Place, bytes]


def places_of(ranges: Iterable[Range]) -> set[Place]:
    """The tiles that the hashes of these ranges are computed from."""
    return {_place_of(part)[0] for leaves in ranges for part in subtrees_of(leaves)}


def last_places(size: int) -> list[Place]:
    """The tiles that the next leaf of a tree of `size` leaves may touch; the ones with the root's subtrees."""
    places: list[Place] = []
    while True:
        level = len(places)
        places.append(Place(level, size >> (HEIGHT * (level + 1))))
        if size >> (HEIGHT * (level + 1)) == 0:
            return places


def hashes_of(ranges: Iterable[Range], tiles: Tiles) -> list[bytes]:
    """The hash of each range. KeyError: a tile that `places_of` names is not there."""
    return [range_hash(leaves, lambda part: _subtree_hash(part, tiles)) for leaves in ranges]


def append(tiles: Tiles, size: int, leaves: Sequence[bytes]) -> dict[Place, bytes]:
    """The tiles that change when `leaves` (their hashes) follow a tree of `size` leaves, as they are then.

    `tiles` must hold the `last_places` of that size, as far as they exist.
    """
    changed: dict[Place, bytes] = {}
    level = 0
    while leaves:
        position, filled = divmod(size, WIDTH)
        row = _split(tiles.get(Place(level, position), b"")) if filled else []
        full: list[bytes] = []
        for leaf in leaves:
            row.append(leaf)
            if len(row) == WIDTH:
                changed[Place(level, position)] = b"".join(row)
                full.append(fold(row))
                row, position = [], position + 1
        if row:
            changed[Place(level, position)] = b"".join(row)
        leaves, size, level = full, size // WIDTH, level + 1
    return changed


def _subtree_hash(part: Subtree, tiles: Tiles) -> bytes:
    place, first, count = _place_of(part)
    return fold(_split(tiles[place])[first : first + count])


def _place_of(part: Subtree) -> tuple[Place, int, int]:
    """The tile of a subtree, and which of its hashes it stands over: from where, and how many."""
    level, above = divmod(part.height, HEIGHT)
    position, first = divmod(part.position << above, WIDTH)
    return Place(level, position), first, 1 << above


def _split(row: bytes) -> list[bytes]:
    return [row[start : start + HASH_BYTES] for start in range(0, len(row), HASH_BYTES)]

"""The log: an append-only Merkle tree over everything that is filed, seen, held and destroyed (REC-04, REC-09)."""

"""Signed tree heads: what a size of the log is sworn to be (REC-04)."""

import struct
from dataclasses import dataclass

# Timestamp, tree size, length of the root hash; after the root hash comes the length of the extensions.
_BEFORE_ROOT = struct.Struct(">QQB")
_NO_EXTENSIONS = b"\x00\x00"


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head; `serial` counts them from 1."""

    tree_size: int
    serial: int
    timestamp_ms: int
    root_hash: bytes
    signature: bytes
    key_id: str


def signed_bytes(tree_size: int, timestamp_ms: int, root_hash: bytes) -> bytes:
    """What the signature is over: TreeHeadDataV2 of RFC 9162, section 4.10."""
    return _BEFORE_ROOT.pack(timestamp_ms, tree_size, len(root_hash)) + root_hash + _NO_EXTENSIONS

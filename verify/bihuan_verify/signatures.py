"""Signed heads: TreeHeadDataV2 of RFC 9162, section 4.10, signed with Ed25519."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bihuan_verify.documents import Head
from bihuan_verify.merkle import HASH_BYTES


class SignatureError(ValueError):
    """The head was not signed by any key that counts."""


def check_head(head: Head, keys: Mapping[str, bytes]) -> None:
    """Raises SignatureError unless one of `keys` (by thumbprint) signed this head."""
    if head.key_id not in keys:
        raise SignatureError(f"the key {head.key_id or '-'} is not among the keys that count")
    if len(head.root_hash) != HASH_BYTES:
        raise SignatureError(f"a root must have {HASH_BYTES} bytes")
    signed = struct.pack(">QQB", head.timestamp_ms, head.tree_size, len(head.root_hash)) + head.root_hash + b"\x00\x00"
    try:
        Ed25519PublicKey.from_public_bytes(keys[head.key_id]).verify(head.signature, signed)
    except (InvalidSignature, ValueError):
        raise SignatureError("the signature does not fit the head") from None

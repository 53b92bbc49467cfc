"""Signed heads: TreeHeadDataV2 of RFC 9162, section 4.10, signed with Ed25519."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bihuan_verify.documents import Head
from bihuan_verify.findings import CheckError
from bihuan_verify.merkle import HASH_BYTES


class SignatureError(CheckError):
    """The head was not signed by any key that counts."""


def check_head(head: Head, keys: Mapping[str, bytes]) -> None:
    """Raises SignatureError unless one of `keys` (by thumbprint) signed this head."""
    if head.key_id not in keys:
        raise SignatureError("key_does_not_count", key=head.key_id or "-")
    if len(head.root_hash) != HASH_BYTES:
        raise SignatureError("hash_length", bytes=HASH_BYTES)
    signed = struct.pack(">QQB", head.timestamp_ms, head.tree_size, len(head.root_hash)) + head.root_hash + b"\x00\x00"
    try:
        Ed25519PublicKey.from_public_bytes(keys[head.key_id]).verify(head.signature, signed)
    except (InvalidSignature, ValueError):
        raise SignatureError("signature_unfit") from None

"""Signing what anybody may verify: one Ed25519 key, named by its thumbprint (RFC 8032, RFC 8037, RFC 7638)."""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class SigningKey:
    """One private key."""

    def __init__(self, seed: bytes) -> None:
        """`seed`: the private key's 32 bytes."""
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.x: str = base64url(raw)
        """The public key as a JSON Web Key has it."""
        self.key_id: str = thumbprint(self.x)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self.private.sign(message)


def thumbprint(x: str) -> str:
    """The id of a public key (RFC 7638): the hash of its required members in order."""
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(members.encode()).digest())


def base64url(raw: bytes) -> str:
    """Without padding, as JSON Web Keys have it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""The issuer's key: an ES256 key pair, the private half in a 0600 file, the public half as a JSON Web Key Set."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

KEY_FILE: Final = "signing_key.pem"
JWKS_FILE: Final = "jwks.json"
ALGORITHM: Final = "ES256"


class SigningKey:
    """Signs tokens. Its id is the key's thumbprint (RFC 7638)."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        public: dict[str, Any] = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        needed = {name: public[name] for name in ("crv", "kty", "x", "y")}
        digest = hashlib.sha256(json.dumps(needed, separators=(",", ":"), sort_keys=True).encode()).digest()
        self.key_id = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        self.public = {**needed, "kid": self.key_id, "alg": ALGORITHM, "use": "sig"}

    @classmethod
    def load(cls, folder: Path) -> SigningKey:
        """Raises OSError when the file can't be read, ValueError when it holds no P-256 key."""
        private = serialization.load_pem_private_key((folder / KEY_FILE).read_bytes(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise ValueError(f"{folder / KEY_FILE}: not a P-256 key")
        return cls(private)

    @classmethod
    def generate(cls) -> SigningKey:
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> bytes:
        """The private key as it is kept: PKCS #8, not encrypted."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key set (RFC 7517)."""
        return {"keys": [self.public]}

    def sign(self, claims: Mapping[str, Any], token_type: str) -> str:
        """A token with these claims; `token_type` goes into its header (`at+jwt`, `JWT`)."""
        return jwt.encode(
            dict(claims), self._private, algorithm=ALGORITHM, headers={"kid": self.key_id, "typ": token_type}
        )

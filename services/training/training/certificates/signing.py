"""Signing certificates and telling a forged one: Ed25519, as compact JWS (RFC 7515, RFC 8037)."""

import base64
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from servicekit.errors import Fault
from servicekit.signing import SigningKey

from training.certificates.certificate import Certificate

ALGORITHM: Final = "EdDSA"
TYPE: Final = "certificate+jwt"


class CertificateSigner:
    """Signs with one private key. `issuer` is who vouches for it, as in the platform's tokens."""

    def __init__(self, seed: bytes, issuer: str) -> None:
        """`seed`: the private key's 32 bytes."""
        key = SigningKey(seed)
        self._private = key.private
        self._issuer = issuer
        self.x = key.x
        self.key_id = key.key_id

    def sign(self, certificate: Certificate) -> str:
        """The certificate as anybody can carry it around and verify it offline."""
        claims = {
            "iss": self._issuer,
            "jti": certificate.number,
            "sub": certificate.person,
            "skill": certificate.skill,
            "level": certificate.level,
            "iat": int(certificate.issued_at.timestamp()),
            "exp": int(certificate.valid_until.timestamp()),
        }
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": self.key_id, "typ": TYPE})


def read_signed(signed: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """The claims of a certificate that one of `keys` (`x` by key id) has signed.

    Whether it still counts is not said here: platform time and revocation decide that. Raises Fault
    certificate_forged.
    """
    try:
        header = jwt.get_unverified_header(signed)
        public = Ed25519PublicKey.from_public_bytes(_bytes_of(keys[header["kid"]]))
        claims: dict[str, Any] = jwt.decode(
            signed,
            public,
            algorithms=[ALGORITHM],
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["jti", "sub", "exp"]},
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as wrong:
        raise Fault("certificate_forged", field="signed") from wrong
    if header.get("typ") != TYPE:
        raise Fault("certificate_forged", field="signed")
    return claims


def _bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

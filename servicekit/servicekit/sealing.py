"""Personal texts sealed with a key per customer (REC-05). Destroying the key erases them everywhere (REC-06).

A customer's key is stored only wrapped by the platform's master key. Who has it seals with AES-256-GCM: one byte of
version, 12 bytes of nonce, ciphertext with its 16-byte tag. Who has not seals with the public half of a pair that
follows from the key, by HPKE (RFC 9180): one byte of version, the encapsulated key, ciphertext with its tag. Only who
has the key opens either.
"""

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from servicekit.errors import Fault

KEY_BYTES = 32
CACHED_KEYS = 4096
_NONCE_BYTES = 12
_VERSION = b"\x01"
_VERSION_FROM_AFAR = b"\x02"
_WRAPPING = b"customer key"
# DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class _SealBrokenError(Exception):
    """It was changed, or sealed with another key or for somebody else."""


def seal_from_afar(public_key: bytes, text: str, aad: str) -> bytes:
    """`text` sealed by somebody who has only the public half of the customer's key, and can't open it again.

    About 100 µs of CPU, twenty times as much as with the key: for what is written once in a while.
    """
    key = X25519PublicKey.from_public_bytes(public_key)
    return _VERSION_FROM_AFAR + _SUITE.encrypt(text.encode(), key, info=aad.encode())


class Sealer:
    """Seals and opens with customers' keys. Holds recently used keys in memory, so opening a list stays cheap."""

    def __init__(self, master_key: bytes) -> None:
        """`master_key` is 32 random bytes. Raises ValueError for another length."""
        if len(master_key) != KEY_BYTES:
            raise ValueError(f"the master key has {len(master_key)} bytes instead of {KEY_BYTES}")
        # A key for each purpose, so that none tells anything about the others.
        self._wrapping = AESGCM(_derived(master_key, b"bihuan wrap customer keys"))
        self._index_key = _derived(master_key, b"bihuan blind index")
        self._digest_key = _derived(master_key, b"bihuan request digests")
        self._unwrapped = lru_cache(CACHED_KEYS)(self._unwrap)

    def new_key(self) -> bytes:
        """A new customer's key, wrapped: what is stored, and deleted to erase the customer."""
        return _encrypt(self._wrapping, AESGCM.generate_key(KEY_BYTES * 8), _WRAPPING)

    def is_ours(self, wrapped: bytes) -> bool:
        """Whether a customer's key is whole and wrapped by this master key."""
        try:
            self._key_in(wrapped)
        except Fault:
            return False
        return True

    def seal(self, wrapped: bytes, text: str, aad: str) -> bytes:
        """`text` sealed; `aad` says whose it is, and must be given again to open it."""
        return _encrypt(self._unwrapped(wrapped), text.encode(), aad.encode())

    def open(self, wrapped: bytes, sealed: bytes, aad: str) -> str:
        """The text, however it was sealed.

        Raises Fault("sealed_text_invalid") when text, key and `aad` don't belong together, and
        Fault("customer_key_invalid") when the key is not wrapped by this master key.
        """
        if sealed[:1] == _VERSION_FROM_AFAR:
            return self._open_from_afar(wrapped, sealed[1:], aad).decode()
        try:
            return _decrypt(self._unwrapped(wrapped), sealed, aad.encode()).decode()
        except _SealBrokenError as exc:
            raise Fault("sealed_text_invalid") from exc

    def public_key(self, wrapped: bytes) -> bytes:
        """What others seal with, who must not be able to open: 32 bytes, always the same of one key.

        It tells nothing of the key, so it may travel; the private half is made again when needed and goes with the key.
        """
        return self._private_key(wrapped).public_key().public_bytes_raw()

    def blind_index(self, text: str) -> bytes:
        """A digest by which equal texts find each other (a phone number), useless without the master key."""
        return hmac.digest(self._index_key, text.encode(), hashlib.sha256)

    def digest(self, content: bytes) -> bytes:
        """A digest by which equal requests are recognised; nobody without the master key can try out what was in it."""
        return hmac.digest(self._digest_key, content, hashlib.sha256)

    def _open_from_afar(self, wrapped: bytes, sealed: bytes, aad: str) -> bytes:
        try:
            return _SUITE.decrypt(sealed, self._private_key(wrapped), info=aad.encode())
        except InvalidTag as exc:
            raise Fault("sealed_text_invalid") from exc

    def _private_key(self, wrapped: bytes) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(_derived(self._key_in(wrapped), b"bihuan seal from afar"))

    def _unwrap(self, wrapped: bytes) -> AESGCM:
        return AESGCM(self._key_in(wrapped))

    def _key_in(self, wrapped: bytes) -> bytes:
        try:
            return _decrypt(self._wrapping, wrapped, _WRAPPING)
        except _SealBrokenError as exc:
            raise Fault("customer_key_invalid") from exc


def _derived(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(master_key)


def _encrypt(cipher: AESGCM, plain: bytes, aad: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + cipher.encrypt(nonce, plain, aad)


def _decrypt(cipher: AESGCM, sealed: bytes, aad: bytes) -> bytes:
    version, nonce, ciphertext = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        if version != _VERSION:
            raise InvalidTag
        return cipher.decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError) as exc:
        raise _SealBrokenError from exc

"""The documents that a platform gives out, as JSON of its contracts: heads, proofs, keys, entries.

Every reader raises DocumentError for what is not such a document.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bihuan_verify.findings import CheckError

# Numbers of the contracts have 64 bits and no sign.
LARGEST = 2**64 - 1


class DocumentError(CheckError):
    """It is not the document that it should be."""


@dataclass(frozen=True)
class Head:
    """A signed tree head."""

    tree_size: int
    timestamp_ms: int
    root_hash: bytes
    signature: bytes
    key_id: str


@dataclass(frozen=True)
class Inclusion:
    """An entry with its way up to a head."""

    entry: bytes
    leaf_index: int
    path: Sequence[bytes]
    head: Head

    @property
    def facts(self) -> Mapping[str, str]:
        return facts_of(self.entry)


@dataclass(frozen=True)
class Consistency:
    """That an earlier log is the beginning of a later one."""

    first_size: int
    path: Sequence[bytes]
    head: Head


def read_json(content: bytes | str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except json.JSONDecodeError as wrong:
        raise DocumentError("not_json_at", line=wrong.lineno, column=wrong.colno) from None
    except (ValueError, RecursionError):
        raise DocumentError("not_json") from None
    if not isinstance(document, dict):
        raise DocumentError("not_an_object")
    return document


def read_head(document: Mapping[str, Any]) -> Head:
    return Head(
        tree_size=number(document, "tree_size"),
        timestamp_ms=number(document, "timestamp_ms"),
        root_hash=_bytes(document.get("root_hash")),
        signature=_bytes(document.get("signature")),
        key_id=str(document.get("key_id", "")),
    )


def read_inclusion(document: Mapping[str, Any]) -> Inclusion:
    return Inclusion(
        entry=_bytes(document.get("entry")),
        leaf_index=number(document, "leaf_index"),
        path=[_bytes(each) for each in list_of(document, "path")],
        head=read_head(_object(document, "head")),
    )


def read_consistency(document: Mapping[str, Any]) -> Consistency:
    return Consistency(
        first_size=number(document, "first_size"),
        path=[_bytes(each) for each in list_of(document, "path")],
        head=read_head(_object(document, "head")),
    )


def read_keys(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The 32 bytes of each public key by its thumbprint (RFC 7638), which is computed here and not believed."""
    keys: dict[str, bytes] = {}
    for key in list_of(document, "keys"):
        if not isinstance(key, dict) or key.get("crv") != "Ed25519":
            raise DocumentError("key_of_other_kind")
        x = str(key.get("x", ""))
        try:
            raw = base64.b64decode(x + "=" * (-len(x) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise DocumentError("key_not_base64url") from None
        members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"), sort_keys=True)
        thumbprint = base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()
        keys[thumbprint] = raw
    return keys


def facts_of(entry: bytes) -> dict[str, str]:
    """The facts of an entry of the log."""
    facts = read_json(entry).get("facts")
    if not isinstance(facts, dict):
        raise DocumentError("entry_without_facts")
    return {str(name): str(value) for name, value in facts.items()}


def number(document: Mapping[str, Any], name: str) -> int:
    """A number of a document. Raises DocumentError."""
    # JSON of the contracts writes large numbers as texts, and leaves out zeros.
    try:
        found = int(document.get(name, 0))
    except (TypeError, ValueError, OverflowError):
        raise DocumentError("not_a_number", name=name) from None
    if not 0 <= found <= LARGEST:
        raise DocumentError("not_64_bits", name=name)
    return found


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value or "", validate=True)
    except (TypeError, ValueError):
        raise DocumentError("not_base64") from None


def list_of(document: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a document; what is not there is empty. Raises DocumentError."""
    found = document.get(name, [])
    if not isinstance(found, list):
        raise DocumentError("not_a_list", name=name)
    return found


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    if not isinstance(found, dict):
        raise DocumentError("part_missing", name=name)
    return found

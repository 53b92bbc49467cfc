"""The content of a record in its one canonical form, so that anyone can compute its hash again.

Canonical form: the closing event (CaseClosed or ComplaintClosed) as proto JSON with the contract's field names (fields
without a value left out, bytes in base64, times as RFC 3339 in UTC), written as JSON with keys sorted by code point, no
white space, nothing escaped that needs no escape, in UTF-8. The bytes are stored as they were hashed, with SHA-256.
"""

import hashlib
import json

from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.intake.v1.events_pb2 import CaseClosed
from google.protobuf.json_format import MessageToDict, Parse

from records.files.rules import COMPLAINT, SERVICE_CASE


def canonical_content(closed: CaseClosed | ComplaintClosed) -> bytes:
    """The canonical form of everything that is kept of a case or complaint."""
    fields = MessageToDict(closed, preserving_proto_field_name=True)
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_hash(content: bytes) -> str:
    """SHA-256 of canonical content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_content(content: bytes, record_class: str = SERVICE_CASE) -> CaseClosed | ComplaintClosed:
    """The closing event again. Fields that later contracts dropped are passed over: old records stay readable."""
    closed = ComplaintClosed() if record_class == COMPLAINT else CaseClosed()
    return Parse(content, closed, ignore_unknown_fields=True)

"""What tells a request that is repeated from another one under the same idempotency key. Pure."""

import hashlib

from google.protobuf.message import Message


def fingerprint_of(request: Message) -> bytes:
    """A digest of everything in the request but its key.

    To be kept, it goes through `Sealer.digest`: nobody shall try out whose number or which words were in it.
    """
    content = type(request)()
    content.CopyFrom(request)
    content.ClearField("idempotency_key")
    return hashlib.sha256(content.SerializeToString(deterministic=True)).digest()

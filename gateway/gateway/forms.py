"""Form bodies and query strings: of the issuer's endpoints, and of voice platforms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from servicekit.errors import Fault
from starlette.requests import Request

from gateway.transcoding.bodies import body_of
from gateway.transcoding.scalars import printable

_MOST_BYTES: Final = 16_384
_MOST_FIELDS: Final = 50
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form. Raises Fault unsupported_media_type, malformed_query, field_repeated, and as `body_of`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise Fault("unsupported_media_type")
    return _fields(await body_of(request, _MOST_BYTES))


def query_of(request: Request) -> Mapping[str, str]:
    """The fields of the query. Raises Fault malformed_query or field_repeated."""
    return _fields(request.scope["query_string"])


def _fields(encoded: bytes) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as wrong:
        raise Fault("malformed_query") from wrong
    fields: dict[str, str] = {}
    for name, value in pairs:
        # RFC 6749 §3.1, and right elsewhere too: a parameter must not be given twice.
        if name in fields:
            raise Fault("field_repeated", field=printable(name))
        fields[name] = value
    return fields

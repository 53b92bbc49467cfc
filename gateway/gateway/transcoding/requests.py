"""HTTP requests → messages: body, query, path and the headers that stand for fields.

Every fault names the field (or the header) and the code says what is wrong; nothing a caller sends ends as a defect.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from pydantic_core import from_json
from servicekit.errors import Fault
from starlette.requests import ClientDisconnect, Request

from gateway.transcoding.bindings import Binding
from gateway.transcoding.reading import printable, reader, wrong_type

IDEMPOTENCY_KEY: Final = "idempotency_key"
# Enough for the largest body over a bad line; whoever sends slower on purpose holds nothing for long.
BODY_SECONDS: Final = 30.0
EXPECTED_VERSION: Final = "expected_version"
_MOST_QUERY_FIELDS: Final = 100
_PLACE: Final = re.compile(r"line ([0-9]+) column ([0-9]+)")
_VERSION_TAG: Final = re.compile(r'"([0-9]{1,10})"')
_JSON_TYPE: Final = re.compile(
    r"application/(?:[a-z0-9.-]+\+)?json\s*(?:;\s*charset\s*=\s*\"?utf-?8\"?\s*)?", re.IGNORECASE
)

# Takes the request and the message so far; adds what it knows.
Fill = Callable[[Request, Message], None]


def request_reader(binding: Binding, most_body_bytes: int) -> Callable[[Request], Any]:
    """A coroutine function that gives the message of a request to this binding, or raises the Fault it deserves."""
    read_body = reader(binding.request)
    fills: list[Fill] = [
        _take_path(binding.variables),
        _refuse_query if binding.has_body else _take_query(binding),
        _take_if_match if binding.takes(EXPECTED_VERSION) else _refuse_if_match,
    ]
    if binding.takes(IDEMPOTENCY_KEY):
        fills.append(_take_idempotency_key)

    async def read(request: Request) -> Message:
        message = binding.request_class()
        if binding.has_body:
            body = await body_of(request, most_body_bytes)
            if body:
                require_json(request)
                read_body(message, json_of(body), "")
        for fill in fills:
            fill(request, message)
        return message

    return read


async def body_of(request: Request, most_bytes: int) -> bytes:
    """The request's body.

    Raises Fault payload_too_large before more than `most_bytes` are held, content_encoding_refused for one that is
    compressed, and body_incomplete when it does not come in full within BODY_SECONDS.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Fault("content_encoding_refused")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise Fault("payload_too_large", limit=most_bytes)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > most_bytes:
                    raise Fault("payload_too_large", limit=most_bytes)
                parts.append(part)
    except (TimeoutError, ClientDisconnect):
        raise Fault("body_incomplete") from None
    return b"".join(parts)


def require_json(request: Request) -> None:
    """Raises Fault unsupported_media_type unless the body is declared as JSON in UTF-8."""
    if not _JSON_TYPE.fullmatch(request.headers.get("content-type", "").strip()):
        raise Fault("unsupported_media_type")


def json_of(body: bytes) -> Any:
    """The JSON value in `body`. Raises Fault malformed_json with the place, also for invalid UTF-8 and deep nesting."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as wrong:
        place = _PLACE.search(str(wrong))
        line, column = place.groups() if place else ("", "")
        raise Fault("malformed_json", line=line, column=column) from wrong


def _take_path(variables: tuple[str, ...]) -> Fill:
    def take(request: Request, message: Message) -> None:
        for name in variables:
            value = request.path_params[name]
            if "\0" in value:
                raise wrong_type(name, "string (without U+0000)")
            given = getattr(message, name)
            if given and given != value:
                raise Fault("field_conflict", field=name, place="path")
            setattr(message, name, value)

    return take


def _take_query(binding: Binding) -> Fill:
    read = reader(binding.request)
    fields = {field.name: field for field in binding.request.fields if field.name not in binding.variables}

    def take(request: Request, message: Message) -> None:
        if not request.url.query:
            return
        values: dict[str, Any] = {}
        for name, text in _query_pairs(request):
            field = fields.get(name)
            if field is None or field.message_type is not None:
                raise Fault("field_unknown", field=printable(name))
            value = _query_value(field, text)
            if field.is_repeated:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise wrong_type(name, "one value")
            else:
                values[name] = value
        read(message, values, "")

    return take


def _query_pairs(request: Request) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            request.scope["query_string"].decode("latin-1"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_QUERY_FIELDS,
        )
    except ValueError as wrong:
        raise Fault("malformed_query") from wrong


def _query_value(field: FieldDescriptor, text: str) -> Any:
    """What the text of a query parameter would be in JSON. Integers and enums may be texts there too."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL and text in {"true", "false"}:
        return text == "true"
    return text


def _refuse_query(request: Request, _message: Message) -> None:
    for name, _ in _query_pairs(request):
        raise Fault("field_unknown", field=printable(name))


def _take_idempotency_key(request: Request, message: Any) -> None:
    key = request.headers.get("idempotency-key", "")
    if not key:
        return
    # The draft standard writes the key as a quoted text; most clients don't.
    if len(key) > 1 and key.startswith('"') and key.endswith('"'):
        key = key[1:-1]
    if message.idempotency_key and message.idempotency_key != key:
        raise Fault("field_conflict", field=IDEMPOTENCY_KEY, place="Idempotency-Key")
    message.idempotency_key = key


def _take_if_match(request: Request, message: Any) -> None:
    condition = request.headers.get("if-match", "").strip()
    if not condition or condition == "*":
        return
    tag = _VERSION_TAG.fullmatch(condition)
    if tag is None or int(tag[1]) >= 2**32:
        raise Fault("precondition_malformed", field="If-Match")
    version = int(tag[1])
    if version == 0:
        # Inside, zero means "no condition"; outside, it is a version that nothing ever has.
        raise Fault("stale_version")
    if message.expected_version and message.expected_version != version:
        raise Fault("field_conflict", field=EXPECTED_VERSION, place="If-Match")
    message.expected_version = version


def _refuse_if_match(request: Request, _message: Message) -> None:
    """A condition that nobody checks must not be taken in silence."""
    if request.headers.get("if-match", "").strip() not in {"", "*"}:
        raise Fault("precondition_unsupported", field="If-Match")

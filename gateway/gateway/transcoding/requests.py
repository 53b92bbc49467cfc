"""HTTP requests → messages: body, query, path and the headers that stand for fields.

Every fault names the field (or the header) and the code says what is wrong; nothing a caller sends ends as a defect.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from servicekit.errors import Fault
from starlette.requests import Request

from gateway.transcoding.bindings import Binding
from gateway.transcoding.bodies import body_of, json_of, require_json
from gateway.transcoding.reading import reader, unknown_field
from gateway.transcoding.scalars import plain_text, printable

IDEMPOTENCY_KEY: Final = "idempotency_key"
EXPECTED_VERSION: Final = "expected_version"
_MOST_QUERY_FIELDS: Final = 100
_VERSION_TAG: Final = re.compile(r'"([0-9]{1,10})"')
_NO_CONDITION: Final[tuple[list[str], ...]] = ([], ["*"])
# What all programs send and keep alike: printable ASCII.
_KEY: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")

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


def _take_path(variables: tuple[str, ...]) -> Fill:
    def take(request: Request, message: Message) -> None:
        for name in variables:
            value = plain_text(request.path_params[name], name)
            given = getattr(message, name)
            if given and given != value:
                raise Fault("field_conflict", field=name, place="path")
            setattr(message, name, value)

    return take


def _take_query(binding: Binding) -> Fill:
    read = reader(binding.request)
    fields = {
        field.name: field
        for field in binding.request.fields
        if field.name not in binding.variables and field.message_type is None
    }

    def take(request: Request, message: Message) -> None:
        if not request.url.query:
            return
        values: dict[str, Any] = {}
        for name, text in _query_pairs(request):
            field = fields.get(name)
            if field is None:
                raise unknown_field(name, name, fields)
            value = _query_value(field, text)
            if field.is_repeated:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise Fault("field_repeated", field=name)
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
        raise Fault("query_unsupported", field=printable(name))


def _take_idempotency_key(request: Request, message: Any) -> None:
    given = request.headers.getlist("idempotency-key")
    if not given:
        return
    key = given[0]
    # The draft standard writes the key as a quoted text; most clients don't.
    if len(key) > 1 and key.startswith('"') and key.endswith('"'):
        key = key[1:-1]
    # Whoever sends an empty key believes that repeating is safe, and it would not be.
    if len(given) > 1 or not _KEY.fullmatch(key):
        raise Fault("idempotency_key_malformed", field="Idempotency-Key")
    if message.idempotency_key and message.idempotency_key != key:
        raise Fault("field_conflict", field=IDEMPOTENCY_KEY, place="Idempotency-Key")
    message.idempotency_key = key


def _take_if_match(request: Request, message: Any) -> None:
    given = _conditions(request)
    if given in _NO_CONDITION:
        return
    tag = _VERSION_TAG.fullmatch(given[0])
    if len(given) > 1 or tag is None or int(tag[1]) >= 2**32:
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
    if _conditions(request) not in _NO_CONDITION:
        raise Fault("precondition_unsupported", field="If-Match")


def _conditions(request: Request) -> list[str]:
    return [condition.strip() for condition in request.headers.getlist("if-match")]

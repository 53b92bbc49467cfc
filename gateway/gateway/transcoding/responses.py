"""Messages → HTTP responses: status, entity tag, address of what was created, and the body as JSON.

All of it follows from the shape of the contract: a `version` is an entity tag; a POST beside a GET of the same resource
creates it; `joined` says that nothing new was created.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from pydantic_core import to_json
from servicekit.protojson import full_writer
from starlette.requests import Request
from starlette.responses import Response

from gateway.transcoding.bindings import Binding

VERSION: Final = "version"
JOINED: Final = "joined"
# A response that is a document as it is, with its own media type: a page, a table.
DOCUMENT: Final = "google.api.HttpBody"
# Who asks and in which language decides what they see.
_READ_HEADERS: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Language"}
_TAG: Final = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Location:
    """Where a resource that was just created can be read."""

    # The address of the collection, `/v1/cases`.
    collection: str
    # The field of the response that holds the resource; None when the response is the resource.
    resource: str | None
    # The field of the resource that fills the path, `case_id`.
    identity: str

    def of(self, response: Any) -> str:
        resource = getattr(response, self.resource) if self.resource else response
        return f"{self.collection}/{quote(getattr(resource, self.identity), safe='')}"


def find_location(binding: Binding, bindings: Iterable[Binding]) -> Location | None:
    """Where to read what this binding creates; None when it creates nothing that has an address of its own."""
    if binding.verb != "POST":
        return None
    for read in bindings:
        if read.verb != "GET" or not read.variables or read.template != f"{binding.template}/{{{read.variables[-1]}}}":
            continue
        for name, resource in _resources(binding.response):
            identity = read.variables[-1]
            for field in (identity, f"{identity}_id"):
                if resource is read.response and field in resource.fields_by_name:
                    return Location(binding.template, name, field)
    return None


def find_version(message_type: Descriptor) -> Callable[[Any], int] | None:
    """How to read the version of the resource in a response of this type; None when it has none.

    It is the response's own `version`, or that of the one message in it that has one.
    """
    versioned = [name for name, resource in _resources(message_type) if VERSION in resource.fields_by_name]
    if None in versioned:
        return lambda message: int(message.version)
    if len(versioned) == 1:
        name = str(versioned[0])
        return lambda message: int(getattr(message, name).version)
    return None


def _resources(message_type: Descriptor) -> list[tuple[str | None, Descriptor]]:
    """The response itself, and every message that stands in it once."""
    inner = [
        (str(field.name), field.message_type)
        for field in message_type.fields
        if field.message_type is not None and not field.is_repeated and field.type == FieldDescriptor.TYPE_MESSAGE
    ]
    return [(None, message_type), *inner]


def responder(binding: Binding, location: Location | None) -> Callable[[Request, Message], Response]:
    """A function that gives the HTTP response for a response message of this binding."""
    if binding.response.full_name == DOCUMENT:
        return _document
    write = full_writer(binding.response)
    version_of = find_version(binding.response)
    headers_of_all = _READ_HEADERS if binding.verb == "GET" else {}
    can_join = JOINED in binding.response.fields_by_name

    def respond(request: Request, message: Any) -> Response:
        status = HTTPStatus.OK
        headers = dict(headers_of_all)
        if version_of is not None and (version := version_of(message)):
            headers["ETag"] = f'"{version}"'
            if binding.verb == "GET" and _unchanged(request, version):
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if location is not None:
            headers["Location"] = location.of(message)
            if not (can_join and message.joined):
                status = HTTPStatus.CREATED
        return Response(to_json(write(message)), status, headers, "application/json")

    return respond


def _document(_request: Request, message: Any) -> Response:
    """What a service wrote for people. Nothing in it runs, whatever it holds."""
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
    return Response(message.data, HTTPStatus.OK, {**_READ_HEADERS, **policy}, message.content_type)


def _unchanged(request: Request, version: int) -> bool:
    """Whether If-None-Match names this version (RFC 9110 §13.1.2, weak comparison)."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or str(version) in _TAG.findall(known)

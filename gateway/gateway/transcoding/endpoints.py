"""The routes: each joins reading a request, asking the service, and writing its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from fastapi import FastAPI
from servicekit.languages import negotiate
from servicekit.rpc.client import Channel
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from gateway.admission import Admission
from gateway.transcoding.bindings import Binding
from gateway.transcoding.requests import request_reader
from gateway.transcoding.responses import find_location, responder

Handle = Callable[[Request], Awaitable[Response]]


class Segment(StringConvertor):
    """One path segment up to a colon, so that `/v1/cases/{case}` is not taken for `/v1/cases/2611-0042-7315:assess`."""

    regex = "[^/:]+"


class Endpoints:
    """Makes the routes. `channels` are the connections to the services, by name."""

    def __init__(
        self, channels: Mapping[str, Channel], admission: Admission, *, most_body_bytes: int, request_seconds: float
    ) -> None:
        self._channels = channels
        self._admission = admission
        self._most_body_bytes = most_body_bytes
        self._request_seconds = request_seconds

    def add_to(self, app: FastAPI, bindings: Iterable[Binding]) -> None:
        """Adds one route a path, with all methods of that path, so that a wrong method is told the right ones.

        Raises KeyError when there is no channel for the service of a binding.
        """
        register_url_convertor("segment", Segment())
        bindings = list(bindings)
        by_path: dict[str, dict[str, Handle]] = {}
        for binding in bindings:
            by_path.setdefault(_route_path(binding), {})[binding.verb] = self._handle(binding, bindings)
        for path, handles in by_path.items():
            app.add_route(path, _by_verb(handles), methods=list(handles))

    def _handle(self, binding: Binding, bindings: Iterable[Binding]) -> Handle:
        read = request_reader(binding, self._most_body_bytes)
        respond = responder(binding, find_location(binding, bindings))
        call = self._channels[binding.service].unary_unary(
            binding.rpc_path, binding.request_class.SerializeToString, binding.response_class.FromString
        )
        admit, seconds, public = self._admission.admit, self._request_seconds, binding.access.public

        async def handle(request: Request) -> Response:
            authorization = await admit(request, public=public)
            message = await read(request)
            metadata = _metadata(request, authorization)
            return respond(request, await call(message, timeout=seconds, metadata=metadata))

        return handle


def _metadata(request: Request, authorization: str) -> list[tuple[str, str]]:
    """What is passed on beside the message; the channel adds the trace context.

    Never a header as it came: gRPC refuses characters that HTTP lets through.
    """
    metadata = [("authorization", authorization)] if authorization else []
    language = negotiate(request.headers.get("accept-language", ""))
    if language:
        metadata.append(("accept-language", language))
    return metadata


def _route_path(binding: Binding) -> str:
    path = binding.template
    for name in binding.variables:
        path = path.replace(f"{{{name}}}", f"{{{name}:segment}}")
    return path


def _by_verb(handles: Mapping[str, Handle]) -> Handle:
    async def endpoint(request: Request) -> Response:
        # The framework lets HEAD in beside GET, and the server leaves out the body.
        return await handles["GET" if request.method == "HEAD" else request.method](request)

    return endpoint

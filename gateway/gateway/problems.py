"""Faults as people outside see them: problem documents after RFC 9457, in the caller's language."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from opentelemetry import trace
from pydantic_core import to_json
from servicekit.errors import Fault
from servicekit.languages import DEFAULT_LANGUAGE, Language, negotiate
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER_SECONDS: Final = "1"
# A caller's path may be as long as a request's head.
_LONGEST_INSTANCE: Final = 500


class Problems:
    """Writes problem documents. `base_url` is where people reach this gateway; a problem's `type` is a page there."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def type_of(self, code: str) -> str:
        """The URI that names a kind of problem and explains it when opened."""
        return f"{self._base_url}/problems/{code}"

    def document(self, fault: Fault, language: Language, instance: str) -> dict[str, Any]:
        """The problem document. `instance` is the path that was asked for."""
        text = fault.text(language)
        document: dict[str, Any] = {
            "type": self.type_of(fault.code),
            "title": text.title,
            "status": fault.definition.http_status,
            "detail": text.detail,
            "instance": instance[:_LONGEST_INSTANCE],
            "code": fault.code,
            "next_step": text.next_step,
        }
        if fault.field:
            document["field"] = fault.field
        if fault.violations:
            document["violations"] = [
                {"field": each.field, "rule": each.rule, "message": each.message} for each in fault.violations
            ]
        trace_id = current_trace_id()
        if trace_id:
            document["trace_id"] = trace_id
        return document

    async def answer_fault(self, request: Request, fault: Exception) -> Response:
        """The exception handler for Fault."""
        assert isinstance(fault, Fault)
        language = language_of(request)
        headers = {"Content-Language": language, "Cache-Control": "no-store", **_headers_for(fault)}
        return Response(
            to_json(self.document(fault, language, request.url.path)),
            fault.definition.http_status,
            headers,
            MEDIA_TYPE,
        )

    async def answer_http_exception(self, request: Request, error: Exception) -> Response:
        """The exception handler for what the framework itself refuses: unknown paths and methods."""
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            fault = Fault("method_not_allowed", method=request.method)
            response = await self.answer_fault(request, fault)
            allowed = (error.headers or {}).get("Allow", "")
            response.headers["Allow"] = ", ".join(sorted(allowed.split(", ")))
            return response
        return await self.answer_fault(request, Fault("not_found"))

    async def answer_defect(self, request: Request, _error: Exception) -> Response:
        """The exception handler for everything that nobody foresaw; the server logs it with its stack."""
        return await self.answer_fault(request, Fault("internal"))


def language_of(request: Request) -> Language:
    """The language to answer in: the header Accept-Language, else the token's locale, else zh-CN."""
    wanted = negotiate(request.headers.get("accept-language", ""))
    principal = getattr(request.state, "principal", None)
    return wanted or (principal.language if principal else None) or DEFAULT_LANGUAGE


def current_trace_id() -> str:
    """The trace that this request belongs to, in hexadecimal; empty when nothing traces."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""


def _headers_for(fault: Fault) -> dict[str, str]:
    status = fault.definition.http_status
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750: the error is named only when a token was sent.
        error = "" if fault.code == "unauthenticated" else ', error="invalid_token"'
        return {"WWW-Authenticate": f'Bearer realm="bihuan"{error}'}
    if status == HTTPStatus.REQUEST_TIMEOUT:
        # What is still missing must not be taken for the next request.
        return {"Connection": "close"}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return {"Retry-After": fault.params.get("retry_after", _RETRY_AFTER_SECONDS)}
    return {}

"""The OpenAPI 3.1 document: every binding as an operation, made from the same descriptors as the routes themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from servicekit.errors import Fault, definitions

from gateway.problems import MEDIA_TYPE, Problems
from gateway.reference.comments import Comments
from gateway.reference.conventions import (
    ETAG,
    LOCATION,
    PARAMETERS,
    PROBLEM,
    PROBLEM_HEADERS,
    Origin,
    security_schemes,
)
from gateway.reference.examples import Examples
from gateway.reference.schemas import Schemas
from gateway.transcoding.bindings import Binding
from gateway.transcoding.requests import EXPECTED_VERSION, IDEMPOTENCY_KEY
from gateway.transcoding.responses import DOCUMENT, JOINED, find_location, find_version

VERSION: Final = "3.1.0"
# Fields that name nothing.
_PAGING = {"page_size", "page_token"}
# What every call can end with; the rest follows from what the call takes.
_ALWAYS: Final = (400, 429, 500, 503, 504)


def describe(bindings: Iterable[Binding], comments: Comments, problems: Problems, origin: Origin) -> dict[str, Any]:
    """The document. Raises ValueError when the bindings can't be described without contradiction."""
    return _Describer(list(bindings), comments, problems).document(origin)


class _Describer:
    def __init__(self, bindings: list[Binding], comments: Comments, problems: Problems) -> None:
        self._bindings = bindings
        self._comments = comments
        self._problems = problems
        self._schemas = Schemas(comments)
        self._examples = Examples(comments)

    def document(self, origin: Origin) -> dict[str, Any]:
        for binding in self._bindings:
            if binding.has_body:
                # Requests first: what is both asked and answered is described with the rules for asking.
                self._schemas.message(binding.request, without=binding.variables)
        paths: dict[str, dict[str, Any]] = {}
        for binding in self._bindings:
            paths.setdefault(binding.template, {})[binding.verb.lower()] = self._operation(binding)
        services = {binding.method.containing_service.full_name: binding.method for binding in self._bindings}
        return {
            "openapi": VERSION,
            "info": {
                "title": "Bihuan 闭环",
                "version": "1",
                "description": "Customer service of a telecom operator as a closed loop. Messages, constraints and "
                "descriptions come from the gRPC contracts. 电信客户服务闭环接口，由 gRPC 合约生成。",
            },
            "servers": [{"url": origin.base_url}],
            "security": [{"openIdConnect": []}, {"bearer": []}],
            "tags": [
                {"name": method.containing_service.name, "description": self._comments.of(name)}
                for name, method in services.items()
            ],
            "paths": paths,
            "components": {
                "schemas": {"Problem": PROBLEM, **self._schemas.finished()},
                "parameters": PARAMETERS,
                "responses": self._problem_responses(),
                "securitySchemes": security_schemes(origin),
            },
        }

    def _operation(self, binding: Binding) -> dict[str, Any]:
        comment = self._comments.of(binding.method.full_name)
        roles = sorted(binding.access.roles)
        operation: dict[str, Any] = {
            "operationId": f"{binding.method.containing_service.name}_{binding.method.name}",
            "summary": comment.partition(". ")[0].rstrip(".") or binding.method.name,
            "description": f"{comment} Roles: {', '.join(roles)}.".strip() if roles else comment,
            "tags": [binding.method.containing_service.name],
            "parameters": self._parameters(binding),
            "responses": self._responses(binding),
        }
        if binding.access.public:
            operation["security"] = []
        if binding.has_body:
            operation["requestBody"] = {
                # A body without a field that must be there may be left out.
                "required": "required" in self._schemas.components[_name_in(self._body(binding))],
                "content": {
                    "application/json": {
                        "schema": self._body(binding),
                        "example": self._examples.message(binding.request, without=_given_elsewhere(binding)),
                    }
                },
            }
        return operation

    def _body(self, binding: Binding) -> dict[str, Any]:
        return self._schemas.message(binding.request, without=binding.variables)

    def _parameters(self, binding: Binding) -> list[dict[str, Any]]:
        fields = binding.request.fields_by_name
        parameters = [self._parameter(fields[name], "path") for name in binding.variables]
        if not binding.has_body:
            rest = [field for field in binding.request.fields if field.name not in binding.variables]
            parameters += [self._parameter(field, "query") for field in rest]
        headers = ["AcceptLanguage"]
        if binding.takes(IDEMPOTENCY_KEY):
            headers.append("IdempotencyKey")
        if binding.takes(EXPECTED_VERSION):
            headers.append("IfMatch")
        if binding.verb == "GET" and find_version(binding.response) is not None:
            headers.append("IfNoneMatch")
        return parameters + [{"$ref": f"#/components/parameters/{name}"} for name in headers]

    def _parameter(self, field: Any, place: str) -> dict[str, Any]:
        schema = self._schemas.field(field)
        description = schema.pop("description", "")
        parameter = {"name": field.name, "in": place, "required": place == "path", "schema": schema}
        return parameter | ({"description": description} if description else {})

    def _responses(self, binding: Binding) -> dict[str, Any]:
        location = find_location(binding, self._bindings)
        headers: dict[str, Any] = {}
        if find_version(binding.response) is not None:
            headers["ETag"] = ETAG
        if location is not None:
            headers["Location"] = LOCATION
        answer = {"headers": headers, "content": self._answered(binding)}
        responses: dict[str, Any] = {}
        if location is None:
            responses["200"] = {"description": "Done.", **answer}
        else:
            responses["201"] = {"description": "Created.", **answer}
            if JOINED in binding.response.fields_by_name:
                responses["200"] = {"description": "Nothing new: it joined what was there already.", **answer}
        if binding.verb == "GET" and find_version(binding.response) is not None:
            responses["304"] = {"description": "Still the version named in If-None-Match."}
        for status in _problem_statuses(binding):
            responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
        return responses

    def _answered(self, binding: Binding) -> dict[str, Any]:
        if binding.response.full_name == DOCUMENT:
            # The service chooses the media type.
            return {"*/*": {"schema": {"type": "string"}}}
        schema = self._schemas.message(binding.response, answered=True)
        return {"application/json": {"schema": schema, "example": self._examples.message(binding.response)}}

    def _problem_responses(self) -> dict[str, Any]:
        """One response a status, with all codes of the catalogue that it can carry."""
        used = {status for binding in self._bindings for status in _problem_statuses(binding)}
        responses = {}
        for status in sorted(used):
            codes = [known for known in definitions().values() if known.http_status == status]
            responses[f"Problem{status}"] = {
                "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{known.code}`' for known in codes)}.",
                "headers": PROBLEM_HEADERS.get(status, {}),
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {
                            known.code: {
                                "summary": f"{known.texts['en'].title} · {known.texts['zh-CN'].title}",
                                "value": self._problems.document(Fault(known.code), "en", "/v1/cases"),
                            }
                            for known in codes
                        },
                    }
                },
            }
        return responses


def _given_elsewhere(binding: Binding) -> set[str]:
    """Fields that an example body leaves to the path and the headers."""
    return {*binding.variables, IDEMPOTENCY_KEY, EXPECTED_VERSION}


def _problem_statuses(binding: Binding) -> list[int]:
    statuses = set(_ALWAYS)
    if not binding.access.public:
        statuses |= {401, 403}
    if {field.name for field in binding.request.fields} - _PAGING:
        # What the path, the body or the query names may not exist, or not any more.
        statuses |= {404, 410}
    if binding.has_body:
        statuses |= {408, 409, 413, 415}
    if binding.takes(IDEMPOTENCY_KEY):
        statuses.add(422)
    if binding.takes(EXPECTED_VERSION):
        statuses |= {412, 428}
    return sorted(statuses)


def _name_in(reference: Mapping[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]

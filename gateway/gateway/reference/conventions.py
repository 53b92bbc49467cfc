"""The parts of the OpenAPI document that are the same for every call: headers, problems, ways to sign in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "description": "Language of texts and problems: `zh-CN` or `en`. Default: the token's locale, else `zh-CN`.",
        "schema": {"type": "string", "examples": ["zh-CN"]},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Recommended. The same key with the same content gives the same answer again and changes "
        "nothing, so a call whose answer was lost can be repeated. Stands for the field `idempotency_key`.",
        "schema": {"type": "string", "maxLength": 100},
        "example": "3f2a9c0d-5b11-4c1e-9f0a-7c1e0193a5f0",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of the version that the change is based on; refused with 412 when it is no longer "
        "the newest. Stands for the field `expected_version`.",
        "schema": {"type": "string", "pattern": '^("[0-9]+"|\\*)$'},
        "example": '"7"',
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag that the caller has; 304 without a body when it is still the newest.",
        "schema": {"type": "string"},
        "example": '"7"',
    },
}
ETAG: Final = {"description": "The version of the resource, for If-Match.", "schema": {"type": "string"}}
LOCATION: Final = {"description": "Where the resource can be read.", "schema": {"type": "string"}}
PROBLEM_HEADERS: Final[Mapping[int, Mapping[str, Any]]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
}
_TEXT: Final = {"type": "string"}
PROBLEM: Final = {
    "type": "object",
    "description": "What went wrong (RFC 9457). `code` is for programs, the texts are for people, in their language.",
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Explains this kind of problem when opened."},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": {"type": "string", "description": "The path that was asked for."},
        "code": {"type": "string", "description": "Stable name of this kind of problem."},
        "next_step": {"type": "string", "description": "What to do now."},
        "field": {"type": "string", "description": "The field or header at fault, such as `caller.phone`."},
        "violations": {
            "type": "array",
            "description": "Every field that breaks a rule of the contract.",
            "items": {
                "type": "object",
                "properties": {"field": _TEXT, "rule": _TEXT, "message": _TEXT},
                "required": ["field", "rule", "message"],
            },
        },
        "trace_id": {"type": "string", "description": "Give it to support."},
    },
    "required": ["type", "title", "status", "detail", "instance", "code", "next_step"],
}


@dataclass(frozen=True)
class Origin:
    """Where the API is reached, and who issues its tokens."""

    base_url: str
    issuer: str
    # The built-in issuer is on: its password grant can be tried from the document.
    built_in_issuer: bool


def security_schemes(origin: Origin) -> dict[str, Any]:
    """How a caller can prove who they are."""
    schemes: dict[str, Any] = {
        "openIdConnect": {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{origin.issuer.rstrip('/')}/.well-known/openid-configuration",
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of the issuer, with the claims `roles`, `domain` and, for customers, "
            "`customer_id`.",
        },
    }
    if origin.built_in_issuer:
        token_url = f"{origin.base_url}/oidc/token"
        schemes["builtInIssuer"] = {
            "type": "oauth2",
            "flows": {
                "password": {"tokenUrl": token_url, "scopes": {}},
                "clientCredentials": {"tokenUrl": token_url, "scopes": {}},
                "authorizationCode": {
                    "authorizationUrl": f"{origin.base_url}/oidc/authorize",
                    "tokenUrl": token_url,
                    "scopes": {"openid": "Who signed in."},
                },
            },
        }
    return schemes

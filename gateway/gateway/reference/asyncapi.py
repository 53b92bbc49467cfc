"""The AsyncAPI 3.0 document: every event that partners may be told of, made from the events' own contracts (GWY-05)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from servicekit.messaging.feeds import FEEDS, feed_subject
from servicekit.messaging.sharing import SharedEvent

from gateway.reference.comments import Comments
from gateway.reference.conventions import Origin
from gateway.reference.schemas import Schemas, component_name

VERSION: Final = "3.0.0"
_PARTNER: Final = "{partner}"
_TEXT: Final = {"type": "string"}
# What every event says of itself: attributes of CloudEvents 1.0, with our two extensions.
_ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    "specversion": {"const": "1.0", **_TEXT},
    "id": {"description": "Names the event for this partner, in its feed and in webhooks.", "format": "uuid", **_TEXT},
    "source": {"description": "The service where it happened, such as `/bihuan/intake`.", **_TEXT},
    "type": {"description": "Full name of the contract's message.", **_TEXT},
    "subject": {"description": "Id of what it happened to; events of one subject keep their order.", **_TEXT},
    "time": {"description": "When it happened.", "format": "date-time", **_TEXT},
    "datacontenttype": {"const": "application/json", **_TEXT},
    "entityversion": {"description": "Version of the subject afterwards; it only rises."},
    "caseid": {"description": "The case that it belongs to, where there is one.", **_TEXT},
}
_REQUIRED: Final = [name for name in _ATTRIBUTES if name != "caseid"]
_HEADERS: Final = {
    "type": "object",
    "properties": {f"ce-{name}": {**_TEXT, **schema} for name, schema in _ATTRIBUTES.items()},
    "required": [f"ce-{name}" for name in _REQUIRED],
}
_SIGNATURE: Final = {
    "type": "object",
    "properties": {
        "webhook-id": {"description": "The event's id, the same in every attempt.", **_TEXT},
        "webhook-timestamp": {"description": "When this attempt was made, in seconds of the epoch.", **_TEXT},
        "webhook-signature": {"description": "`v1,` and HMAC-SHA-256; several while the secret changes.", **_TEXT},
    },
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
}


def describe_events(events: Iterable[SharedEvent], comments: Comments, origin: Origin) -> dict[str, Any]:
    """The document. Raises ValueError for an event whose contract shares a field that it does not have."""
    return _Describer(tuple(events), comments).document(origin)


class _Describer:
    def __init__(self, events: tuple[SharedEvent, ...], comments: Comments) -> None:
        self._events = events
        self._comments = comments
        self._schemas = Schemas(comments)

    def document(self, origin: Origin) -> dict[str, Any]:
        messages = {_name(event): self._message(event) for event in self._events}
        messages |= {_in_webhook(event): self._webhook(event) for event in self._events}
        return {
            "asyncapi": VERSION,
            "info": {
                "title": "Bihuan 闭环 partner events",
                "version": "1",
                "description": "What partners are told: CloudEvents 1.0 by NATS JetStream and by webhooks, without "
                "personal data. Made from the events' contracts. 合作方事件：由事件合约生成，不含个人信息。",
                "externalDocs": {"description": "REST API", "url": f"{origin.base_url}/docs"},
            },
            "defaultContentType": "application/json",
            "servers": {
                "bus": {
                    "host": "{host}:4222",
                    "protocol": "nats",
                    "description": "The partner signs in with its name and the password of its registration.",
                    "variables": {"host": {"description": "As told by the operator.", "default": "localhost"}},
                    "security": [{"$ref": "#/components/securitySchemes/password"}],
                }
            },
            "channels": {**self._feeds(), "webhooks": self._webhooks()},
            "operations": {**self._sendings(), "deliverWebhook": self._delivering()},
            "components": {
                "schemas": self._schemas.finished(),
                "messages": messages,
                "securitySchemes": {"password": {"type": "userPassword", "description": "User and password of NATS."}},
            },
        }

    def _feeds(self) -> dict[str, Any]:
        return {
            _name(event): {
                "address": feed_subject(_PARTNER, event.subject),
                "description": f"Kept in the stream {FEEDS}; read by the durable pull consumer of the partner's name.",
                "servers": [{"$ref": "#/servers/bus"}],
                "parameters": _parameters(event),
                "messages": {"event": {"$ref": f"#/components/messages/{_name(event)}"}},
            }
            for event in self._events
        }

    def _webhooks(self) -> dict[str, Any]:
        return {
            "address": None,
            "description": "Endpoints that the partner names (`POST /v1/partners/{partner}/endpoints`), after the "
            "Standard Webhooks specification: signed, tried again for three days, 2xx acknowledges.",
            "messages": {
                _in_webhook(event): {"$ref": f"#/components/messages/{_in_webhook(event)}"} for event in self._events
            },
            "bindings": {"http": {}},
        }

    def _sendings(self) -> dict[str, Any]:
        return {
            f"tell.{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
            for name in (_name(event) for event in self._events)
        }

    def _delivering(self) -> dict[str, Any]:
        return {
            "action": "send",
            "channel": {"$ref": "#/channels/webhooks"},
            "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        }

    def _message(self, event: SharedEvent) -> dict[str, Any]:
        """In the feed: CloudEvents in binary mode."""
        return self._told(event) | {"headers": _HEADERS, "payload": self._data(event)}

    def _webhook(self, event: SharedEvent) -> dict[str, Any]:
        """The same by webhook: CloudEvents in structured mode, signed."""
        content = {
            "type": "object",
            "properties": {**_ATTRIBUTES, "entityversion": {"type": "integer"}, "data": self._data(event)},
            "required": [*_REQUIRED, "data"],
        }
        kind = {"contentType": "application/cloudevents+json; charset=utf-8"}
        return self._told(event) | kind | {"headers": _SIGNATURE, "payload": content}

    def _told(self, event: SharedEvent) -> dict[str, Any]:
        comment = self._comments.of(event.type)
        named = {"name": event.type, "title": event.type.rpartition(".")[2], "contentType": "application/json"}
        return named | ({"summary": comment} if comment else {})

    def _data(self, event: SharedEvent) -> dict[str, Any]:
        descriptor = event.descriptor
        unknown = set(event.fields) - set(descriptor.fields_by_name)
        if unknown:
            raise ValueError(f"{event.type} shares {', '.join(sorted(unknown))}, which it does not have")
        without = [field.name for field in descriptor.fields if field.name not in event.fields]
        return self._schemas.message(descriptor, without=without, answered=True)


def _name(event: SharedEvent) -> str:
    return component_name(event.descriptor)


def _in_webhook(event: SharedEvent) -> str:
    return f"{_name(event)}.webhook"


def _parameters(event: SharedEvent) -> dict[str, Any]:
    parameters: dict[str, Any] = {"partner": {"description": "The partner's name."}}
    if "{service}" in event.subject:
        parameters["service"] = {"description": "The service that sends it, such as `intake`."}
    return parameters

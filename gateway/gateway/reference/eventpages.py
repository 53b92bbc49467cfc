"""The events for partners as people read them: one page in the style of the API's own, and the document for tools."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import FastAPI
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.reference.pages import HEADERS, PAGE, prose

ASYNCAPI_PATH: Final = "/asyncapi.json"


def add_event_reference(app: FastAPI, document: Mapping[str, Any]) -> None:
    """Adds /asyncapi.json and /asyncapi."""
    asyncapi = to_json(document)
    page = PAGE.substitute(language="zh-CN", title="闭环 Bihuan events", body="\n".join(_events(document)))

    async def show_asyncapi(_request: Request) -> Response:
        return Response(asyncapi, headers={"Access-Control-Allow-Origin": "*"}, media_type="application/json")

    async def show_events(_request: Request) -> Response:
        return HTMLResponse(page, headers=HEADERS)

    app.add_route(ASYNCAPI_PATH, show_asyncapi)
    app.add_route("/asyncapi", show_events)


def _events(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
    yield f'<p><a href="{ASYNCAPI_PATH}">AsyncAPI {escape(document["asyncapi"])}</a> · <a href="/docs">REST API</a></p>'
    for name, channel in document["channels"].items():
        if channel["address"]:
            yield from _channel(name, channel, document)
    yield f"<section><h2>Webhooks 推送</h2><p>{prose(document['channels']['webhooks']['description'])}</p></section>"


def _channel(name: str, channel: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    message = document["components"]["messages"][name]
    schema = document["components"]["schemas"][name]
    yield f'<details id="{escape(name)}"><summary><code>{escape(channel["address"])}</code> — '
    yield f"{escape(message['title'])}</summary><p>{prose(message.get('summary', ''))}</p>"
    yield "<table><tr><th>字段 Field</th><th>类型 Type</th><th>说明 Meaning</th></tr>"
    for field, kind in schema["properties"].items():
        told = prose(kind.get("description", ""))
        yield f"<tr><td><code>{escape(field)}</code><td>{escape(_type_of(kind))}<td>{told}</tr>"
    yield f"</table><h4>信封 Attributes</h4><pre>{escape(_headers(message))}</pre></details>"


def _type_of(schema: Mapping[str, Any]) -> str:
    return str(schema.get("format") or schema.get("type") or schema.get("$ref", "").rpartition("/")[2])


def _headers(message: Mapping[str, Any]) -> str:
    return json.dumps(list(message["headers"]["properties"]), ensure_ascii=False)

"""The API description for people: one self-contained page, a page for each problem, and the document for tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from string import Template
from typing import Any, Final

from fastapi import FastAPI
from pydantic_core import to_json
from servicekit.errors import Definition, Fault, definitions
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.problems import language_of

OPENAPI_PATH: Final = "/openapi.json"
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "public, max-age=300",
}
PAGE: Final = Template("""<!doctype html>
<html lang="$language">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
  body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  summary { cursor: pointer; padding: .35rem 0 } code, pre { font: 13px/1.45 ui-monospace, monospace }
  pre { background: #f4f4f2; padding: .75rem; overflow: auto; border-radius: .3rem }
  table { border-collapse: collapse } td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top }
  .verb { display: inline-block; min-width: 3.5rem; font-weight: 600; color: #14532d } section { margin: 2rem 0 }
</style>
$body
</html>
""")


def add_reference(app: FastAPI, document: Mapping[str, Any]) -> None:
    """Adds /openapi.json, /docs and /problems/{code}."""
    openapi = to_json(document)
    docs = PAGE.substitute(language="zh-CN", title="闭环 Bihuan API", body="\n".join(_api(document)))

    async def show_openapi(_request: Request) -> Response:
        return Response(openapi, headers={"Access-Control-Allow-Origin": "*"}, media_type="application/json")

    async def show_docs(_request: Request) -> Response:
        return HTMLResponse(docs, headers=HEADERS)

    async def show_problem(request: Request) -> Response:
        """Raises Fault not_found for a code that is not in the catalogue."""
        known = definitions().get(request.path_params["code"])
        if known is None:
            raise Fault("not_found")
        language = language_of(request)
        page = PAGE.substitute(language=language, title=escape(known.code), body="\n".join(_problem(known)))
        return HTMLResponse(page, headers=HEADERS)

    app.add_route(OPENAPI_PATH, show_openapi)
    app.add_route("/docs", show_docs)
    app.add_route("/problems/{code}", show_problem)


def _api(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
    yield f'<p><a href="{OPENAPI_PATH}">OpenAPI {escape(document["openapi"])}</a></p>'
    server = document["servers"][0]["url"]
    for tag in document["tags"]:
        yield f"<section><h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>"
        for path, operations in document["paths"].items():
            for verb, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(server, path, verb.upper(), operation, document)
        yield "</section>"


def _operation(
    server: str, path: str, verb: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[str]:
    yield f'<details id="{escape(operation["operationId"])}"><summary><span class="verb">{verb}</span> '
    yield f"<code>{escape(path)}</code> — {escape(operation['summary'])}</summary>"
    yield f"<p>{prose(operation['description'])}</p>"
    parameters = [_resolved(parameter, document) for parameter in operation["parameters"]]
    yield "<table><tr><th>参数 Parameter</th><th>位置 In</th><th>说明 Meaning</th></tr>"
    for parameter in parameters:
        name, place = escape(parameter["name"]), escape(parameter["in"])
        yield f"<tr><td><code>{name}</code><td>{place}<td>{prose(parameter.get('description', ''))}</tr>"
    yield "</table>"
    yield f"<h4>请求 Request</h4><pre>{escape(_curl(server, path, verb, operation))}</pre><h4>答复 Responses</h4>"
    for status, response in operation["responses"].items():
        answer = _resolved(response, document)
        yield f"<p><b>{escape(status)}</b> {prose(answer['description'])}</p>"
        example = answer.get("content", {}).get("application/json", {}).get("example")
        if example is not None:
            yield f"<pre>{escape(json.dumps(example, ensure_ascii=False, indent=2))}</pre>"
    yield "</details>"


def prose(text: str) -> str:
    """Text of the contract's comments, with `words` in backticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _resolved(part: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` into the components stands for."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    resolved: Mapping[str, Any] = document["components"][kind][name]
    return resolved


def _curl(server: str, path: str, verb: str, operation: Mapping[str, Any]) -> str:
    lines = [f"curl -X {verb} '{server}{path}'", '-H "Authorization: Bearer $TOKEN"']
    body = operation.get("requestBody")
    if body:
        example = json.dumps(body["content"]["application/json"]["example"], ensure_ascii=False, indent=2)
        lines += ["-H 'Content-Type: application/json'", f"-d '{example}'"]
    return " \\\n  ".join(lines)


def _problem(known: Definition) -> Iterator[str]:
    yield f"<h1><code>{escape(known.code)}</code></h1><p>HTTP {known.http_status} · gRPC {known.grpc_status}</p>"
    for language, text in known.texts.items():
        yield f'<section lang="{language}"><h2>{escape(text.title)}</h2><p>{escape(text.detail)}</p>'
        yield f"<p>{escape(text.next_step)}</p></section>"

"""The AsyncAPI document: every event that partners may be told of, and nothing that they may not (GWY-05)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway.reference.asyncapi import describe_events
from gateway.reference.comments import Comments
from gateway.reference.conventions import Origin
from jsonschema import Draft7Validator
from servicekit.messaging.sharing import shared_events

# The published schema, as asyncapi-3.0.0.json.
SCHEMA = os.environ.get("BIHUAN_TEST_ASYNCAPI_SCHEMA", "")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    origin = Origin("https://bihuan.test", "https://bihuan.test", built_in_issuer=False)
    return describe_events(shared_events(), Comments.load(), origin)


def resolved(document: dict[str, Any], reference: dict[str, str]) -> Any:
    here: Any = document
    for step in reference["$ref"].removeprefix("#/").split("/"):
        here = here[step]
    return here


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


def test_it_has_the_parts_that_asyncapi_3_asks_for(document: dict[str, Any]) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert document["info"].keys() >= {"title", "version"}
    for server in document["servers"].values():
        assert server.keys() >= {"host", "protocol"}
    for operation in document["operations"].values():
        assert operation["action"] == "send"
        assert resolved(document, operation["channel"])["messages"]
    for channel in document["channels"].values():
        placed = {part[1:-1] for part in (channel["address"] or "").split(".") if part.startswith("{")}
        assert placed == set(channel.get("parameters", {}))
    assert {reference for reference in references(document) if not resolved(document, {"$ref": reference})} == set()


def test_every_event_for_partners_has_a_channel_with_exactly_its_shared_fields(document: dict[str, Any]) -> None:
    fed = [channel for channel in document["channels"].values() if channel["address"]]
    assert len(fed) == len(shared_events()) > 20
    for event, channel in zip(shared_events(), fed, strict=True):
        message = resolved(document, channel["messages"]["event"])
        assert message["name"] == event.type
        schema = resolved(document, message["payload"])
        assert set(schema["properties"]) == set(event.fields)
        assert channel["address"] == f"bihuan.feed.{{partner}}.{event.subject.removeprefix('bihuan.')}"
    webhooks = document["channels"]["webhooks"]["messages"].values()
    assert {resolved(document, message)["name"] for message in webhooks} == {event.type for event in shared_events()}


def test_what_is_told_of_an_event_fits_its_schema(document: dict[str, Any]) -> None:
    for event in shared_events():
        schema = document["components"]["schemas"][event.type.removeprefix("bihuan.")]
        whole = {**schema, "components": document["components"]}
        Draft7Validator(whole).validate(event.content(event.kind()))


@pytest.mark.skipif(not SCHEMA, reason="BIHUAN_TEST_ASYNCAPI_SCHEMA names no file")
def test_it_is_valid_by_the_published_schema(document: dict[str, Any]) -> None:
    validator = Draft7Validator(json.loads(Path(SCHEMA).read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(document)] == []


async def test_it_is_served_for_tools_and_for_people(client: httpx.AsyncClient) -> None:
    document = await client.get("/asyncapi.json")
    page = await client.get("/asyncapi")
    assert document.headers["content-type"] == "application/json"
    assert document.json()["asyncapi"] == "3.0.0"
    assert "bihuan.feed.{partner}.intake.case.opened.v1" in page.text
    assert "<script" not in page.text

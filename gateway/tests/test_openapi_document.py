"""The OpenAPI 3.1 document: complete, well-formed, true to the contracts and to the routes (GWY-01)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import protovalidate
import pytest
from bihuan.intake.v1 import cases_pb2
from bihuan.platform.v1 import inspection_pb2
from gateway.contracts import CONTRACTS
from gateway.problems import Problems
from gateway.reference.comments import Comments
from gateway.reference.conventions import Origin
from gateway.reference.openapi import describe
from gateway.transcoding.bindings import find_bindings
from gateway.transcoding.reading import reader
from gateway.transcoding.responses import DOCUMENT
from google.api import annotations_pb2
from servicekit.errors import definitions
from servicekit.testing.contracts import contract_methods

BINDINGS = find_bindings(CONTRACTS)
ORIGIN = Origin("http://gateway.test", "http://gateway.test", built_in_issuer=True)
SCHEMA_KEYWORDS = {
    "$ref", "type", "format", "description", "properties", "required", "additionalProperties", "items", "enum",
    "examples", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minItems", "maxItems", "uniqueItems", "contentEncoding",
}  # fmt: skip
SCHEMA_TYPES = {"object", "array", "string", "integer", "number", "boolean"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(BINDINGS, Comments.load(), Problems(ORIGIN.base_url), ORIGIN)


def test_every_call_with_a_path_is_served() -> None:
    served = {contract.DESCRIPTOR.name for contract in CONTRACTS}
    with_paths = {
        method.containing_service.file.name
        for method in contract_methods()
        if method.GetOptions().Extensions[annotations_pb2.http].WhichOneof("pattern")
    }
    assert not with_paths - served, f"add to gateway/contracts.py: {sorted(with_paths - served)}"
    assert not served - with_paths, f"serves nothing of: {sorted(served - with_paths)}"


def operations(document: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def resolve(document: Any, part: dict[str, Any]) -> Any:
    while "$ref" in part:
        here = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            here = here[step]
        part = here
    return part


def test_every_annotated_rpc_is_a_route_and_in_the_document(document):
    annotated = {
        (rule.WhichOneof("pattern").upper(), getattr(rule, rule.WhichOneof("pattern")))
        for contract in CONTRACTS
        for service in contract.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if (rule := method.GetOptions().Extensions[annotations_pb2.http]).WhichOneof("pattern")
    }
    assert len(annotated) > 30
    assert {(verb.upper(), path) for path, verb, _ in operations(document)} == annotated
    assert {(binding.verb, binding.template) for binding in BINDINGS} == annotated


def is_public(operation: Any) -> bool:
    return operation.get("security") == []


async def test_every_operation_is_answered_by_the_running_application(client, document):
    for path, verb, operation in operations(document):
        answer = await client.request(verb.upper(), re.sub(r"\{\w+\}", "x", path))
        # Both come from the route's own handler; an unknown address or method would be 404 or 405. What is public gets
        # as far as the service, which is none here.
        expected = 501 if is_public(operation) else 401
        assert (path, answer.status_code) == (path, expected)


def test_what_the_query_names_may_be_unknown_too(document):
    assert "404" in document["paths"]["/v1/record-log/inclusion"]["get"]["responses"]
    assert "404" not in document["paths"]["/v1/record-log/keys"]["get"]["responses"]


def test_rpcs_without_the_option_have_no_route():
    names = {binding.method.name for binding in find_bindings([*CONTRACTS, inspection_pb2])}
    assert names.isdisjoint({"Unseal", "GetBacklog", "ListEntityFacts"})


def test_the_served_document_is_the_described_one(document):
    assert document["openapi"] == "3.1.0"
    assert set(document) == {"openapi", "info", "servers", "security", "tags", "paths", "components"}
    assert {"title", "version"} <= set(document["info"])
    assert all(name in document["components"]["securitySchemes"] for use in document["security"] for name in use)


def test_all_references_lead_somewhere(document):
    references = [node for node in nodes(document) if "$ref" in node]
    assert len(references) > 100
    for reference in references:
        assert resolve(document, reference)


def test_component_names_are_legal(document):
    for components in document["components"].values():
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in components)


def test_operations_are_complete_and_their_names_unique(document):
    tags = {tag["name"] for tag in document["tags"]}
    seen = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(seen) == len(set(seen))
    for path, _, operation in operations(document):
        assert operation["summary"]
        assert set(operation["tags"]) <= tags
        parameters = [resolve(document, parameter) for parameter in operation["parameters"]]
        in_path = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path)
        assert all(parameter["required"] for parameter in parameters if parameter["in"] == "path")
        assert {parameter["in"] for parameter in parameters} <= {"path", "query", "header"}
        assert len({(parameter["name"], parameter["in"]) for parameter in parameters}) == len(parameters)
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d", status)
            assert resolve(document, response)["description"]
        guarded = set() if is_public(operation) else {"401", "403"}
        assert {"400", "429", "500", "503"} | guarded <= set(operation["responses"])


def test_schemas_use_known_keywords_and_types(document):
    def check(schema: Any) -> None:
        assert set(schema) <= SCHEMA_KEYWORDS, schema
        assert schema.get("type", "string") in SCHEMA_TYPES
        assert set(schema.get("required", [])) <= set(schema.get("properties", {})) or "properties" not in schema
        for inner in schema.get("properties", {}).values():
            check(inner)
        for inner in (schema.get("items"), schema.get("additionalProperties")):
            if isinstance(inner, dict):
                check(inner)
        if "pattern" in schema:
            re.compile(schema["pattern"])

    for schema in document["components"]["schemas"].values():
        check(schema)
    for _, _, operation in operations(document):
        for parameter in operation["parameters"]:
            check(resolve(document, parameter)["schema"])


def test_constraints_of_the_contract_are_there(document):
    schemas = document["components"]["schemas"]
    report = schemas["intake.v1.OpenCaseRequest"]
    assert report["required"] == ["channel", "caller", "region", "subject"]
    assert report["properties"]["subject"] | {"minLength": 1, "maxLength": 200} == report["properties"]["subject"]
    assert "caller.phone" in report["description"]
    assert schemas["intake.v1.AnswerSurveyRequest"]["properties"]["score"]["maximum"] == 5
    assert "case" not in schemas["intake.v1.AnswerSurveyRequest"]["properties"]
    assert "CASE_STAGE_DELIVERED" in schemas["intake.v1.CaseStage"]["enum"]
    assert "交付" in schemas["intake.v1.CaseStage"]["description"]
    assert schemas["dispatch.v1.Report"]["properties"]["parts"]["maxItems"] == 100


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.method.name)
def test_examples_are_what_the_contract_allows(document, binding):
    operation = document["paths"][binding.template][binding.verb.lower()]
    if binding.has_body:
        content = operation["requestBody"]["content"]["application/json"]
        request = binding.request_class()
        reader(binding.request)(request, content["example"], "")
        for name in binding.variables:
            # The path brings these.
            example = Comments.load().example(binding.request.fields_by_name[name].full_name)
            setattr(request, name, example or "0193a5f0-7c1e-7000-8000-3f2a9c0d5b11")
        assert protovalidate.collect_violations(request) == []
        required = resolve(document, content["schema"]).get("required", [])
        assert set(required) <= set(content["example"])
    success = next(value for status, value in operation["responses"].items() if status.startswith("2"))
    if binding.response.full_name != DOCUMENT:
        reader(binding.response)(binding.response_class(), success["content"]["application/json"]["example"], "")


def test_creation_conditions_and_headers_are_described(document):
    opened = document["paths"]["/v1/cases"]["post"]
    assert set(opened["responses"]["201"]["headers"]) == {"ETag", "Location"}
    assert "200" in opened["responses"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in opened["parameters"]
    read = document["paths"]["/v1/cases/{case}"]["get"]
    assert "304" in read["responses"]
    assert {"$ref": "#/components/parameters/IfNoneMatch"} in read["parameters"]
    assessed = document["paths"]["/v1/cases/{case}:assess"]["post"]
    assert {"$ref": "#/components/parameters/IfMatch"} in assessed["parameters"]
    assert {"409", "412"} <= set(assessed["responses"])
    assert "agent, supervisor" in assessed["description"]


def test_every_code_of_a_described_status_has_an_example(document):
    for name, response in document["components"]["responses"].items():
        status = int(name.removeprefix("Problem"))
        examples = response["content"]["application/problem+json"]["examples"]
        assert set(examples) == {known.code for known in definitions().values() if known.http_status == status}
        for example in examples.values():
            assert set(document["components"]["schemas"]["Problem"]["required"]) <= set(example["value"])


async def test_document_and_pages_are_served_without_anything_from_elsewhere(client, document):
    assert (await client.get("/openapi.json")).json() == document
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "/v1/cases/{case}:assess" in page.text
    assert not re.search(r"<script|<link|src=|url\(|@import", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_two_methods_that_want_one_call_are_refused():
    with pytest.raises(ValueError, match="want the same call"):
        find_bindings([cases_pb2, cases_pb2])

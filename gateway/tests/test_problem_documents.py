"""Problem documents (RFC 9457, GWY-01): for faults of services, of the gateway, and of the framework itself."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from gateway.transcoding import bodies
from servicekit.messaging.users import SERVICES


async def test_a_fault_of_a_service_comes_out_whole(client, bearer):
    answer = await client.get("/v1/cases/2611-9999-9999", headers=bearer("agent") | {"Accept-Language": "en"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "en"
    problem = answer.json()
    assert problem == {
        "type": "http://gateway.test/problems/case_unknown",
        "title": "There is no such case",
        "status": 404,
        "detail": "No case that you may see has the number 2611-9999-9999.",
        "instance": "/v1/cases/2611-9999-9999",
        "code": "case_unknown",
        "field": "case",
        "next_step": "Check the number; it is in the confirmation that you were sent.",
    }


@pytest.mark.parametrize(
    ("wanted", "title"), [("en;q=0.9, fr", "There is nothing here"), ("fr", "此处没有内容"), ("", "此处没有内容")]
)
async def test_the_language_is_the_callers_else_chinese(client, wanted, title):
    answer = await client.get("/nowhere", headers={"Accept-Language": wanted})
    assert (answer.status_code, answer.json()["title"]) == (404, title)


async def test_without_a_header_the_language_is_the_tokens(client, bearer):
    answer = await client.get("/v1/engineers/x", headers=bearer("engineer8"))
    assert answer.headers["content-language"] == "en"


async def test_all_broken_rules_are_told_in_the_callers_language(client, bearer, report):
    broken = report | {"caller": {"phone": "abc"}, "region": "CN", "subject": ""}
    answer = await client.post("/v1/cases", json=broken, headers=bearer("agent"))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "invalid_argument")
    assert {violation["field"] for violation in problem["violations"]} == {"caller.phone", "region", "subject"}
    english = await client.post("/v1/cases", json=broken, headers=bearer("agent") | {"Accept-Language": "en"})
    assert english.json()["violations"] != problem["violations"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"])
async def test_a_wrong_method_is_told_the_right_ones(client, method):
    answer = await client.request(method, "/v1/cases")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/v1/cases/2611-0042-7315:assess", 405),
        ("POST", "/v1/cases/2611-0042-7315:explode", 404),
        ("POST", "/v1/cases/a/b:assess", 404),
        ("GET", "/v1/cases/", 404),
        ("GET", "/docs/swagger", 404),
        ("GET", "/redoc", 404),
    ],
)
async def test_addresses_that_are_no_calls(client, bearer, verb, path, status):
    answer = await client.request(verb, path, headers=bearer("agent"))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_call_without_a_token_is_401_and_says_how(client, report):
    answer = await client.post("/v1/cases", json=report)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="bihuan"'


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic YTpi", "Bearer", "Bearer a.b.c", "x" * 9000])
async def test_a_wrong_token_is_401(client, report, cases, authorization):
    answer = await client.post("/v1/cases", json=report, headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert answer.headers["www-authenticate"] == 'Bearer realm="bihuan", error="invalid_token"'
    assert cases[0].asked == []


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk"]
)
async def test_a_body_that_is_not_declared_as_json_is_415(client, bearer, report, content_type):
    headers = bearer("agent") | ({"Content-Type": content_type} if content_type else {})
    answer = await client.post("/v1/cases", content=json.dumps(report), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
async def test_declarations_of_json(client, bearer, report, content_type):
    headers = bearer("agent") | {"Content-Type": content_type}
    assert (await client.post("/v1/cases", content=json.dumps(report), headers=headers)).status_code == 201


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_is_413(make_client, bearer, report, announced):
    body = json.dumps(report | {"description": "x" * 3000}).encode()

    async def in_pieces():
        for start in range(0, len(body), 500):
            yield body[start : start + 500]

    async with make_client(most_body_bytes=2048) as client:
        headers = bearer("agent") | {"Content-Type": "application/json"}
        answer = await client.post("/v1/cases", content=body if announced else in_pieces(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert "2048" in answer.json()["detail"]


async def test_a_body_that_does_not_come_in_full_is_408(client, bearer, cases, monkeypatch):
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)

    async def half():
        yield b"{"
        await asyncio.Event().wait()

    headers = bearer("agent") | {"Content-Type": "application/json"}
    answer = await client.post("/v1/cases", content=half(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (408, "body_incomplete")
    assert answer.headers["connection"] == "close"
    assert cases[0].asked == []


async def test_a_compressed_body_is_415(client, bearer, report):
    headers = bearer("agent") | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post("/v1/cases", content=gzip.compress(json.dumps(report).encode()), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "content_encoding_refused")


async def test_two_tokens_are_401(client, bearer, report):
    headers = [*bearer("agent").items(), ("Authorization", "Bearer another")]
    answer = await client.post("/v1/cases", json=report, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


async def test_a_long_path_is_told_in_part(client, bearer):
    answer = await client.get(f"/v1/{'x' * 9000}", headers=bearer("agent"))
    assert answer.status_code == 404
    assert answer.json()["instance"] == f"/v1/{'x' * 496}"


async def test_a_service_that_is_away_is_503_with_retry_after(make_client, bearer, report):
    async with make_client(targets=dict.fromkeys(SERVICES, "127.0.0.1:1")) as client:
        answer = await client.post("/v1/cases", json=report, headers=bearer("agent"))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_defect_in_a_service_is_500_without_a_word_of_it(client, bearer, report, cases):
    cases[0].raises = RuntimeError("secret detail")
    answer = await client.post("/v1/cases", json=report, headers=bearer("agent"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text


async def test_a_defect_in_the_gateway_is_500_without_a_word_of_it(client, bearer, monkeypatch):
    monkeypatch.setattr("gateway.health._state", None)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "NoneType" not in answer.text


async def test_every_kind_of_problem_is_explained_at_its_own_address(client, bearer):
    problem = (await client.get("/v1/cases/x", headers=bearer("agent"))).json()
    page = await client.get(problem["type"].removeprefix("http://gateway.test"))
    assert page.status_code == 200
    assert "没有找到该受理单" in page.text
    assert "There is no such case" in page.text
    assert (await client.get("/problems/nonsense")).status_code == 404

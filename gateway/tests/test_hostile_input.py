"""Whatever is sent, the answer is a problem document and never a 500 (bad input; GWY-01)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

anything = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NAMES = st.sampled_from(
    ["channel", "caller", "region", "subject", "kind", "phone", "customer_id", "identity_check", "x"]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**300, 10**310),
    st.floats(),
    st.text(),
    st.sampled_from(["\0", "\ud800", "宽带", "IDENTITY_CHECK_TOKEN", "1e400", "-0"]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner),
    max_leaves=12,
)


def is_told(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"]
        assert problem["next_step"]
        assert "Traceback" not in answer.text


@anything
@given(body=st.dictionaries(NAMES, JSON) | JSON)
async def test_any_json(client, bearer, body):
    headers = bearer("agent") | {"Content-Type": "application/json"}
    # Lone surrogates as JSON writes them: \ud800.
    is_told(await client.post("/v1/cases", content=json.dumps(body), headers=headers))


@anything
@given(body=st.binary(max_size=60) | st.binary(max_size=20).map(lambda tail: b'{"subject":"' + tail))
async def test_any_bytes(client, bearer, body):
    headers = bearer("agent") | {"Content-Type": "application/json"}
    is_told(await client.post("/v1/cases", content=body, headers=headers))


@anything
@given(path=st.text(max_size=20), method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "TRACE"]))
async def test_any_path(client, bearer, path, method):

    is_told(
        await client.request(method, f"/v1/cases/{quote(path.encode('utf-8', 'replace'))}", headers=bearer("agent"))
    )


@anything
@given(query=st.text(st.sampled_from("page_size=&;%0f%c3%28+stage?/[]{}\"'<>")))
async def test_any_query(client, bearer, query):
    is_told(await client.get(f"/v1/cases?{query}", headers=bearer("agent")))


@anything
@given(
    name=st.sampled_from(
        ["Authorization", "If-Match", "If-None-Match", "Idempotency-Key", "Accept-Language", "traceparent"]
    ),
    value=st.binary(max_size=40),
)
async def test_any_header(client, bearer, report, name, value):
    headers = [(key.encode(), text.encode()) for key, text in bearer("agent").items() if key != name]
    headers += [(b"Content-Type", b"application/json"), (name.encode(), value)]
    is_told(await client.post("/v1/cases", content=json.dumps(report), headers=headers))


async def test_deep_nesting_and_endless_numbers(client, bearer):
    headers = bearer("agent") | {"Content-Type": "application/json"}
    for body in ("[" * 100_000, '{"caller":' * 20_000, "1" * 100_000, '{"subject": NaN}', '{"a":1,}', ""):
        answer = await client.post("/v1/cases", content=body, headers=headers)
        is_told(answer)
        assert answer.status_code == 400


async def test_the_place_of_a_mistake_in_json_is_told(client, bearer):
    headers = bearer("agent") | {"Content-Type": "application/json", "Accept-Language": "en"}
    answer = await client.post("/v1/cases", content='{\n "subject": "a"\n "region": "b"}', headers=headers)
    assert answer.json()["code"] == "malformed_json"
    assert "line 3, column 2" in answer.json()["detail"]

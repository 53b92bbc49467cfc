"""Calls as app and web make them (GWY-01): creation, versions, conditions, queries, what is passed on."""

from __future__ import annotations

from typing import Any

import pytest
from bihuan.intake.v1 import cases_pb2


async def open_case(client: Any, bearer: Any, report: Any, **headers: str) -> Any:
    return await client.post("/v1/cases", json=report, headers=bearer("channel-app") | headers)


async def test_a_created_case_is_201_with_its_address_and_entity_tag(client, bearer, report):
    answer = await open_case(client, bearer, report)
    assert answer.status_code == 201
    case = answer.json()["case"]
    assert answer.headers["location"] == f"/v1/cases/{case['case_id']}"
    assert answer.headers["etag"] == '"1"'
    assert case["subject"] == "宽带无法上网"
    assert case["accepted_at"] == "2026-11-02T01:30:00.250Z"
    # Every client sees one shape: zero values are there, unset times are not.
    assert case["satisfaction"] == 0
    assert "closed_at" not in case
    again = await client.get(answer.headers["location"], headers=bearer("agent"))
    assert again.json() == case


async def test_a_report_that_joined_an_open_case_is_200(client, bearer, report):
    answer = await open_case(client, bearer, report | {"subject": "again"})
    assert answer.status_code == 200
    assert answer.json()["joined"] is True
    assert "location" in answer.headers


@pytest.mark.parametrize("key", ["k-1", '"k-1"'])
async def test_the_idempotency_key_goes_into_the_request(client, bearer, report, cases, key):
    first = await open_case(client, bearer, report, **{"Idempotency-Key": key})
    second = await open_case(client, bearer, report, **{"Idempotency-Key": key})
    assert cases[0].asked[0].idempotency_key == "k-1"
    assert first.json() == second.json()


@pytest.mark.parametrize("keys", [[""], ['""'], ["键"], ["a", "a"], [" "]])
async def test_an_idempotency_key_that_would_protect_nobody_is_refused(client, bearer, report, cases, keys):
    headers = [(name.encode(), value.encode()) for name, value in bearer("channel-app").items()]
    headers += [(b"Idempotency-Key", key.encode()) for key in keys]
    answer = await client.post("/v1/cases", json=report, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_malformed")
    assert answer.json()["field"] == "Idempotency-Key"
    assert cases[0].asked == []


async def test_two_different_idempotency_keys_are_refused(client, bearer, report):
    answer = await open_case(client, bearer, report | {"idempotency_key": "a"}, **{"Idempotency-Key": "b"})
    assert (answer.status_code, answer.json()["code"]) == (400, "field_conflict")
    assert answer.json()["field"] == "idempotency_key"


@pytest.mark.parametrize("name", ["2611-0042-7315", "id"])
async def test_verbs_after_a_colon_reach_their_method(client, bearer, report, cases, name):
    """Assessing a case (INT-04) under either of its names."""
    case_id = (await open_case(client, bearer, report)).json()["case"]["case_id"]
    name = case_id if name == "id" else name
    body = {"classification": {"kind": "fault_repair", "category": "internet_access", "urgency": "high"}}
    answer = await client.post(f"/v1/cases/{name}:assess", json=body, headers=bearer("agent") | {"If-Match": '"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    asked = cases[0].asked[-1]
    assert isinstance(asked, cases_pb2.AssessCaseRequest)
    assert (asked.case, asked.expected_version) == (name, 1)


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ('"9"', (412, "stale_version")),
        ('"0"', (412, "stale_version")),
        ("7", (400, "precondition_malformed")),
        ('W/"1"', (400, "precondition_malformed")),
        ('"1", "2"', (400, "precondition_malformed")),
        ('"99999999999"', (400, "precondition_malformed")),
        ("", (400, "precondition_malformed")),
        ('*, "1"', (400, "precondition_malformed")),
        ("*", (200, None)),
    ],
)
async def test_if_match(client, bearer, report, condition, outcome):
    case_id = (await open_case(client, bearer, report)).json()["case"]["case_id"]
    body = {"classification": {"kind": "fault_repair", "category": "internet_access", "urgency": "high"}}
    answer = await client.post(
        f"/v1/cases/{case_id}:assess", json=body, headers=bearer("agent") | {"If-Match": condition}
    )
    assert (answer.status_code, answer.json().get("code")) == outcome


async def test_two_conditions_are_refused(client, bearer, report):
    case_id = (await open_case(client, bearer, report)).json()["case"]["case_id"]
    headers = [*bearer("agent").items(), ("If-Match", '"1"'), ("If-Match", '"9"')]
    answer = await client.post(f"/v1/cases/{case_id}:resume", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "precondition_malformed")


async def test_a_query_where_none_is_read_is_refused(client, bearer, report, cases):
    answer = await client.post("/v1/cases?subject=x", json=report, headers=bearer("agent"))
    assert (answer.status_code, answer.json()["code"]) == (400, "query_unsupported")
    assert answer.json()["field"] == "subject"
    assert cases[0].asked == []


async def test_if_match_where_nobody_would_check_it_is_refused(client, bearer, report):
    case_id = (await open_case(client, bearer, report)).json()["case"]["case_id"]
    answer = await client.post(
        f"/v1/cases/{case_id}/interactions",
        json={"channel": "app", "text": "?"},
        headers=bearer("agent") | {"If-Match": '"1"'},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "precondition_unsupported")


@pytest.mark.parametrize("known", ['"1"', 'W/"1"', '"3", "1"', "*"])
async def test_an_unchanged_case_is_304_without_a_body(client, bearer, report, known):
    location = (await open_case(client, bearer, report)).headers["location"]
    answer = await client.get(location, headers=bearer("agent") | {"If-None-Match": known})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
    changed = await client.get(location, headers=bearer("agent") | {"If-None-Match": '"2"'})
    assert changed.status_code == 200


async def test_query_parameters_become_fields(client, bearer, cases):
    answer = await client.get(
        "/v1/cases",
        params={"page_size": 20, "stage": "CASE_STAGE_HANDLING", "region": "cn.gd", "page_token": "a/b+c="},
        headers=bearer("agent"),
    )
    assert answer.json()["next_page_token"] == "next"
    assert cases[0].asked == [
        cases_pb2.ListCasesRequest(
            page_size=20, stage=cases_pb2.CASE_STAGE_HANDLING, region="cn.gd", page_token="a/b+c="
        )
    ]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("page_size=many", "field_type_wrong", "page_size"),
        ("page_size=-1", "field_type_wrong", "page_size"),
        ("page_size=1&page_size=2", "field_repeated", "page_size"),
        ("page_size=1&page_size=1", "field_repeated", "page_size"),
        ("page_size=", "field_type_wrong", "page_size"),
        ("pageSize=1", "field_unknown", "pageSize"),
        ("=1", "field_unknown", '""'),
        ("stage=handling", "field_type_wrong", "stage"),
        ("color=red", "field_unknown", "color"),
        ("region=%ff", "malformed_query", None),
        ("region=a%00", "field_type_wrong", "region"),
        ("&".join(f"x{i}=1" for i in range(200)), "malformed_query", None),
        ("page_size=201", "invalid_argument", "page_size"),
    ],
)
async def test_a_wrong_query_is_named(client, bearer, query, code, field):
    answer = await client.get(f"/v1/cases?{query}", headers=bearer("agent"))
    assert (answer.status_code, answer.json()["code"], answer.json().get("field")) == (400, code, field)


async def test_token_and_language_go_on_to_the_service(client, bearer, report, cases):
    """The service decides by itself who is asking (GWY-08)."""
    await open_case(client, bearer, report, **{"Accept-Language": "en"})
    await client.get("/v1/cases", headers=bearer("agent"))
    assert cases[0].callers == [("channel-app", "en"), ("agent", "zh-CN")]


async def test_the_service_refuses_the_wrong_role_by_itself(client, bearer):
    answer = await client.get("/v1/cases/2611-0042-7315/history", headers=bearer("customer"))
    assert (answer.status_code, answer.json()["code"]) == (403, "role_forbidden")


async def test_head_is_answered_like_get(client, bearer, report):
    location = (await open_case(client, bearer, report)).headers["location"]
    answer = await client.head(location, headers=bearer("agent"))
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')


async def test_a_body_may_be_left_out_where_nothing_must_be_in_it(client, bearer, report):
    case_id = (await open_case(client, bearer, report)).json()["case"]["case_id"]
    answer = await client.post(f"/v1/cases/{case_id}:resume", headers=bearer("agent"))
    assert answer.status_code == 200


async def test_the_path_wins_over_no_other_name_in_the_body(client, bearer):
    answer = await client.post("/v1/cases/a:resume", json={"case": "b"}, headers=bearer("agent"))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "field_conflict", "case")

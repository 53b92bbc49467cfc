"""The same creation is sent five times at once with one key: one case. Another content under that key is refused."""

from __future__ import annotations

import pytest
from acting import APP, Cast
from insistence import Crowd

pytestmark = pytest.mark.e2e


def test_one_key_makes_one_case(platform, cast: Cast) -> None:
    request, key = cast.request(), "app-same-key"

    def send(_time: int):
        return cast.ask(APP, "/v1/cases", request, key=key)

    answers = Crowd(cast).all_at_once(send, range(5), people=5)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["case"]["case_id"] for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    customer = answers[0].json()["case"]["customer_id"]
    assert len(cast.get("supervisor", f"/v1/cases?customer_id={customer}")["cases"]) == 1

    other = cast.ask(APP, "/v1/cases", request | {"subject": "电视没有信号"}, key=key)
    assert other.status_code == 422
    problem = other.json()
    assert problem["code"] == "idempotency_key_reused"
    assert problem["next_step"]
    assert len(cast.get("supervisor", f"/v1/cases?customer_id={customer}")["cases"]) == 1
    platform.assert_nothing_fell_out()

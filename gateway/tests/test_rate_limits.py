"""Limits per caller (GWY-01)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from gateway.limits import MOST_CALLERS, Rate, RateLimits
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault


class Timepiece:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(
    rate=st.builds(Rate, st.floats(0.5, 50), st.integers(1, 20)),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=200),
)
def test_nobody_gets_more_than_the_burst_and_the_rate(rate, pauses):
    timepiece = Timepiece()
    limits = RateLimits(timepiece)
    let_in = 0
    for pause in pauses:
        timepiece.now += pause
        with suppress(Fault):
            limits.take("a", rate)
            let_in += 1
    assert let_in <= rate.burst + sum(pauses) * rate.per_second + 1e-6


def test_after_the_told_wait_the_next_request_is_let_in():
    timepiece = Timepiece()
    limits = RateLimits(timepiece)
    limits.take("a", Rate(0.25, 1))
    with pytest.raises(Fault) as refused:
        limits.take("a", Rate(0.25, 1))
    timepiece.now += int(refused.value.params["retry_after"])
    limits.take("a", Rate(0.25, 1))


def test_callers_don_t_share_and_the_silent_are_forgotten():
    limits = RateLimits(Timepiece())
    for number in range(MOST_CALLERS + 10):
        limits.take(f"caller {number}", Rate(1, 1))
    assert len(limits._buckets) == MOST_CALLERS


def at_once() -> RateLimits:
    """To these limits all requests of a test come at one moment, also on a busy machine."""
    return RateLimits(Timepiece())


async def test_too_many_requests_are_429_with_retry_after(make_client, bearer):
    async with make_client(limits=at_once(), person_rate=2) as client:
        answers = [await client.get("/v1/cases", headers=bearer("agent")) for _ in range(6)]
        other = await client.get("/v1/cases", headers=bearer("supervisor"))
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    assert answers[-1].json()["code"] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert other.status_code == 200


async def test_calls_without_a_valid_token_count_against_the_address(make_client):
    async with make_client(limits=at_once(), anonymous_rate=2) as client:
        answers = [await client.get("/v1/cases", headers={"Authorization": "Bearer x"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 4 + [429] * 2


async def test_channels_have_a_rate_of_their_own(make_client, bearer):
    async with make_client(limits=at_once(), person_rate=1, client_rate=100) as client:
        answers = [await client.get("/v1/cases", headers=bearer("channel-app")) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}

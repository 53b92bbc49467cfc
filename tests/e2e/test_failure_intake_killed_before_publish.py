"""Intake dies by SIGKILL between commit and publish: what was answered is told to the others once it is back."""

from __future__ import annotations

from collections import Counter

import pytest
from acting import APP, Cast
from bustraffic import assert_published_once, published
from insistence import Crowd

pytestmark = pytest.mark.e2e

CASES = 20


def test_what_was_committed_is_published_once(platform, cast: Cast) -> None:
    cast.engineer()
    crowd = Crowd(cast)
    platform.stop("nats")
    case_ids = crowd.open_cases(CASES)
    assert not crowd.troubles, "cases are accepted while the bus is away"
    platform.kill("intake")
    platform.start("nats")
    platform.until_healthy("intake")
    platform.assert_nothing_fell_out(wait=60)
    told = Counter(
        event["case_id"] for event in published(platform) if event["subject"] == "bihuan.intake.case.opened.v1"
    )
    assert {case_id: told[case_id] for case_id in case_ids} == dict.fromkeys(case_ids, 1)
    assert_published_once(platform)
    # Left open they would count for an outage of this district when the next crowd comes here.
    crowd.all_at_once(
        lambda case_id: cast.do(APP, f"/v1/cases/{case_id}:withdraw", {"reason": "only a test"}), case_ids
    )

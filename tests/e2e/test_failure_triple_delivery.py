"""The same event reaches a service three times, past the bus's own deduplication: it has one effect."""

from __future__ import annotations

import pytest
from acting import Cast
from bustraffic import publish_again, published

pytestmark = pytest.mark.e2e


def test_an_event_delivered_three_times_has_one_effect(platform, cast: Cast) -> None:
    cast.engineer()
    story = cast.report()
    story.assess(visit=True)
    story.visit()
    story.finish()
    platform.assert_nothing_fell_out()
    before = (story.look(), story.order(), story.record(), story.history())
    told = [
        message
        for message in published(platform) + published(platform, commands=True)
        if message["case_id"] == story.case_id
    ]
    # What dispatch, records and intake react to.
    assert {"bihuan.dispatch.commands.create_work_order", "bihuan.records.record.filed.v1"} <= {
        message["subject"] for message in told
    }
    publish_again(platform, told, times=3)
    platform.assert_nothing_fell_out()
    assert (story.look(), story.order(), story.record(), story.history()) == before
    orders = cast.get("dispatcher", f"/v1/work-orders?case_id={story.case_id}")["work_orders"]
    assert len(orders) == 1

"""A partner gets what it may see and nothing else, by feed and by webhook (GWY-05)."""

from __future__ import annotations

import json

import pytest
from acting import Cast
from partnering import ADMINISTRATOR, OTHER, PARTNER, Feed, receiver

pytestmark = pytest.mark.e2e

# No other story plays there; it is in nobody's place.
ELSEWHERE = "cn.gd.gz.tianhe"
NAME, PHONE, TEXT = "欧阳若兰", "+8613912340977", "家里三楼书房的光猫红灯一直闪"
CLOSED, COMPLETED = "bihuan.intake.v1.CaseClosed", "bihuan.dispatch.v1.WorkOrderCompleted"
CALLER = {"name": NAME, "phone": PHONE, "identity_check": "IDENTITY_CHECK_TOKEN"}


def test_a_partner_reads_its_feed_after_a_day_away_and_is_sent_webhooks(platform, cast: Cast) -> None:
    feed = Feed.of(cast, PARTNER, ["intake.case.*", "dispatch.work_order.*"], cast.place.region)
    other = Feed.of(cast, OTHER, ["complaints.*.*"], ELSEWHERE)
    path = f"/v1/partners/{PARTNER}"
    with receiver(failing=True) as got:
        created = cast.do(PARTNER, f"{path}/endpoints", {"url": got.url, "event_types": ["intake.case.opened"]})
        got.secret = created["secret"]
        endpoint = f"{path}/endpoints/{created['endpoint']['endpoint_id']}"

        cast.engineer()
        story = cast.report(caller=CALLER, description=TEXT, subject=TEXT)
        elsewhere = cast.report(region=ELSEWHERE)
        story.assess(visit=True)
        story.visit()
        story.finish()

        # The first request fails, so the event waits; its pause follows platform time.
        def has_failed() -> bool:
            return any(delivery["attempts"] for delivery in deliveries("WAITING"))

        def deliveries(state):
            return cast.get(PARTNER, f"{path}/deliveries?state=DELIVERY_STATE_{state}")["deliveries"]

        platform.eventually(has_failed, "the first attempt did not fail")
        assert got.events == []
        got.failing = False
        platform.advance("1d")
        platform.eventually(lambda: got.events, "the webhook was never delivered")
        (event,) = got.events
        assert (event["type"], event["subject"]) == ("bihuan.intake.v1.CaseOpened", story.case_id)
        assert event["data"]["case_number"] == story.number

        # Read after a day away: in order, each once, and nothing of another region.
        told = feed.read_until(CLOSED, COMPLETED, case_id=story.case_id)
        own = [entry for entry in told if entry["caseid"] == story.case_id]
        assert [entry["type"].rpartition(".")[2] for entry in own if ".intake." in entry["type"]] == [
            "CaseOpened",
            "CaseAssessed",
            "CaseAssigned",
            "CaseHandlingStarted",
            "CaseResultDelivered",
            "CaseConfirmed",
            "CaseClosed",
        ]
        assert {entry["source"] for entry in own} == {"/bihuan/intake", "/bihuan/dispatch"}
        assert elsewhere.case_id not in json.dumps(told)
        assert len({entry["id"] for entry in told}) == len(told)
        assert event["id"] in {entry["id"] for entry in own}
        assert feed.read() == []
        assert other.read() == []

        # Sent again on request, under the same id; the receiver takes it once.
        (delivered,) = platform.eventually(lambda: deliveries("DELIVERED"), "the delivery was never noted")
        # The first pause is so short that a slow story fails twice.
        *failures, last = [attempt["status"] for attempt in delivered["attempts"]]
        assert (set(failures), last) == ({500}, 204)
        cast.do(PARTNER, f"{path}/deliveries/{delivered['delivery_id']}:redeliver", {})
        platform.eventually(lambda: len(got.requests) == len(failures) + 2, "it was not sent again")
        assert {message for message, _ in got.requests} == {delivered["event_id"]}
        assert [genuine for _, genuine in got.requests] == [*(False for _ in failures), True, True]

        # While its secret is changed the receiver may keep the old one.
        rotated = cast.do(PARTNER, f"{endpoint}:rotate", {}, version=1)
        for secret in (got.secret, rotated["secret"]):
            got.secret = secret
            before = len(got.events)
            cast.do(PARTNER, f"{endpoint}:test", {})
            platform.eventually(lambda before=before: len(got.events) > before, "the test event did not come")
        assert got.events[-1]["type"] == "bihuan.partners.v1.EndpointTested"

        received = json.dumps([told, got.events], ensure_ascii=False)
        for personal in (NAME, PHONE, PHONE[3:], TEXT, "红灯", story.look()["customer_id"]):
            assert personal not in received
        cast.do(PARTNER, f"{endpoint}:disable", {})
    platform.assert_nothing_fell_out()


def test_a_partner_sees_itself_only_and_nothing_is_sent_inside(platform, cast: Cast) -> None:
    Feed.of(cast, PARTNER, ["intake.case.*"], "cn")
    Feed.of(cast, OTHER, ["intake.case.*"], "cn")
    for path in (f"/v1/partners/{OTHER}", f"/v1/partners/{OTHER}/feed", f"/v1/partners/{OTHER}/deliveries"):
        refused = cast.ask(PARTNER, path)
        assert (refused.status_code, refused.json()["code"]) == (403, "partner_forbidden"), path
    rotated = cast.ask(PARTNER, f"/v1/partners/{OTHER}/feed:rotate", {})
    assert (rotated.status_code, rotated.json()["code"]) == (403, "partner_forbidden")
    assert [seen["partner"] for seen in cast.get(PARTNER, "/v1/partners")["partners"]] == [PARTNER]
    assert cast.ask(PARTNER, "/v1/partners", {}).json()["code"] == "role_forbidden"
    for url in (
        "https://10.0.0.1/hook",
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.2/hook",
        "https://[::ffff:192.168.1.1]/hook",
        "https://100.64.0.1/hook",
    ):
        refused = cast.ask(PARTNER, f"/v1/partners/{PARTNER}/endpoints", {"url": url})
        assert (refused.status_code, refused.json()["code"]) == (400, "webhook_address_refused"), url
        assert refused.json()["next_step"]
    unknown = {"event_types": ["intake.case.danced"], "domain": "cn", "valid_until": platform.now().isoformat()}
    wrong = cast.ask(ADMINISTRATOR, f"/v1/partners/{PARTNER}:change", {"scope": unknown})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "event_type_unknown")
    suspended = cast.do(ADMINISTRATOR, f"/v1/partners/{OTHER}:suspend", {})
    assert suspended["state"] == "PARTNER_STATE_SUSPENDED"
    cast.do(ADMINISTRATOR, f"/v1/partners/{OTHER}:resume", {}, version=suspended["version"])
    platform.assert_nothing_fell_out()

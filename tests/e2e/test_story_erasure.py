"""A customer wants to be forgotten: their words are gone, from the archive too; the figures stay (REC-06)."""

from __future__ import annotations

import json

import pytest
from acting import APP, SUPERVISOR, Cast
from archiving import open_record

pytestmark = pytest.mark.e2e

SECRET = "请打我太太的电话，钥匙在花盆下面"


def test_rec06_erasing_a_customer_reaches_the_archive(platform, cast: Cast) -> None:
    story = cast.report(description=SECRET)
    customer_id = story.look()["customer_id"]
    story.assess(visit=False)
    story.step("duty", "startHandling")
    story.step("duty", "deliver", result="已远程恢复")
    story.rate(5, SECRET)
    story.finish()
    assert SECRET in {text["text"] for text in open_record(cast, story.case_id)["texts"]}
    hash_before = story.record()["content_hash"]

    erased = cast.do(SUPERVISOR, f"/v1/customers/{customer_id}:erase", {"reason": "asked by letter"})
    assert erased["erased"] is True
    assert (erased["name"], erased["phone"]) == ("", "")
    record = story.record()
    assert {text["text"] for text in open_record(cast, story.case_id)["texts"]} == {""}
    assert record["content_hash"] == hash_before, "nothing was overwritten"
    assert record["satisfaction"] == 5
    seen_by_desk = cast.get("duty", f"/v1/cases/{story.case_id}")
    assert (seen_by_desk["subject"], seen_by_desk["description"]) == ("", "")
    refused = cast.ask(APP, "/v1/cases", cast.request(caller={"customer_id": customer_id}))
    assert (refused.status_code, refused.json()["code"]) == (410, "customer_erased")
    platform.assert_nothing_fell_out()


def test_events_and_logs_never_carry_the_customers_words(platform, cast: Cast) -> None:
    """REC-05: what leaves a service holds ids and grades only."""
    words = "暗号蓝色大象"
    caller = {"name": "欧阳独一无二", "phone": "+8613912345678"}
    story = cast.report(description=words, caller=caller)
    story.step(APP, "withdraw", reason=words)
    story.until("archived")
    told = platform.run("events", "--last", "0", "--json").stdout
    told += platform.run("events", "--last", "0", "--commands", "--json").stdout
    assert story.case_id in told
    logged = "".join(path.read_text(errors="replace") for path in (platform.home / "logs").glob("*.log"))
    for secret in (words, caller["name"], caller["phone"]):
        for form in (secret, json.dumps(secret)[1:-1]):
            assert form not in told
            assert form not in logged
    platform.assert_nothing_fell_out()

"""A message that a service can't handle ends among its dead letters with the reason, and is sent again after a repair.

The poison is one that happens: new standards have reached intake and not dispatch, so a work order asks for a skill
that dispatch has never heard of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from acting import DESK, Cast
from bihuan.dispatch.v1.events_pb2 import CancelWorkOrder
from bihuanctl.platform.bus import operator_bus
from insistence import Crowd
from servicekit.messaging.envelope import Envelope

pytestmark = pytest.mark.e2e

SKILL = "drone_inspection"
ENTRY = f"""  {SKILL}: {{label: {{zh-CN: 无人机巡检, en: Drone inspection}}, source: internal, note: New this year.}}
"""


@pytest.fixture(autouse=True)
def antidote(platform) -> Iterator[None]:
    """Whatever fails here, the stories of others find no poison: dispatch reads the new standards, too."""
    yield
    if platform.json("dead-letters", "list"):
        platform.restart("dispatch")
        platform.json("dead-letters", "redrive", "--all")


def test_a_poison_message_is_redriven_after_the_repair(platform, cast: Cast) -> None:
    _publish_new_standards(platform)
    platform.restart("intake")
    story = cast.story(Crowd(cast).open_case())
    proposed = story.look()["proposed"]["classification"]
    story.step(DESK, "assess", classification=proposed, needs_visit=True, skill=SKILL, level="junior")

    letter = platform.eventually(lambda: _letter_of(platform, story.case_id), "no dead letter")
    assert (letter["service"], letter["reason"]) == ("dispatch", "refused")
    assert letter["subject"] == "bihuan.dispatch.commands.create_work_order"
    assert "skill_unknown" in letter["error"]
    shown = platform.json("dead-letters", "show", str(letter["number"]))
    assert shown["content"]["skill"] == SKILL
    findings = platform.check()["findings"]
    assert [(finding["code"], finding["case_id"]) for finding in findings] == [
        ("dead_letter", story.case_id),
        ("work_order_lost", story.case_id),
    ]
    other = cast.report()
    other.assess(visit=True)
    other.until_order("waiting")  # poison stands in nobody's way

    platform.json("dead-letters", "redrive", str(letter["number"]))
    again = platform.eventually(lambda: _letter_of(platform, story.case_id), "it did not die again")
    assert again["number"] != letter["number"], "sent again without a repair it dies again, and is kept"

    platform.restart("dispatch")
    redriven = platform.json("dead-letters", "redrive", str(again["number"]))
    assert [each["case_id"] for each in redriven["redriven"]] == [story.case_id]
    assert story.until_order("waiting")["skill"] == SKILL
    assert platform.json("dead-letters", "list") == []
    for each in (story, other):
        each.step("channel-app", "withdraw", reason="only a test")
        each.until("archived")
    platform.assert_nothing_fell_out()


def test_what_shall_never_take_effect_is_discarded(platform) -> None:
    event_id = uuid4()
    asyncio.run(_publish_garbage(platform, event_id))
    letter = platform.eventually(lambda: _letter_of(platform, str(event_id), by="event_id"), "no dead letter")
    assert letter["reason"] == "unreadable"
    assert [finding["code"] for finding in platform.check()["findings"]] == ["dead_letter"]
    assert "--reason" in platform.run("dead-letters", "discard", str(letter["number"]), "--reason", " ").stderr
    platform.json("dead-letters", "discard", str(letter["number"]), "--reason", "typed by hand, never meant")
    platform.assert_nothing_fell_out()
    assert platform.json("dead-letters", "list") == []
    [kept] = [
        each for each in platform.json("dead-letters", "list", "--discarded") if each["event_id"] == str(event_id)
    ]
    assert kept["discarded_because"] == "typed by hand, never meant"
    assert kept["discarded_by"]


async def _publish_garbage(platform, event_id: UUID) -> None:
    kind = CancelWorkOrder.DESCRIPTOR.full_name
    envelope = Envelope(event_id, kind, "intake", "w1", 0, str(uuid4()), datetime.now(UTC))
    async with operator_bus(platform.home / "run" / "bus.json") as jetstream:
        await jetstream.publish("bihuan.dispatch.commands.cancel_work_order", b"garbage", headers=envelope.headers())


def _publish_new_standards(platform) -> None:
    file = platform.home / "standards" / "skills.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("skills:\n", f"skills:\n{ENTRY}"), encoding="utf-8")


def _letter_of(platform, wanted: str, by: str = "case_id"):
    letters = [letter for letter in platform.json("dead-letters", "list") if letter[by] == wanted]
    return letters[0] if letters else None

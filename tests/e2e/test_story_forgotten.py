"""A customer is erased, and whatever anybody ever wrote about them is gone with them (REC-05, REC-06).

Customer and staff put a word of its own into every text field that they fill on the way: a fault with visits, and a
complaint with an investigation and a dispute. After the erasure none of the words stands in any table, message, log,
span or package; what they stood in is still there and still adds up.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from acting import APP, DESK, DISPATCHER, ONLOOKER, SUPERVISOR, Cast, Engineer, Story
from archiving import APPROVER, REQUESTS, SECOND_ARCHIVIST, export_package, request_access, verify
from complaining import HANDLER, QUALITY, WEB, Grievance
from leaking import Words, leaks, newest_messages

pytestmark = pytest.mark.e2e

CHECKSUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ERASED = {"en": "(erased at the customer's wish)", "zh-CN": "（已按客户要求清除）"}
CHECKED = "IDENTITY_CHECK_TOKEN"


@dataclass
class Told:
    """One customer's whole story, and the words in it."""

    cast: Cast
    engineers: list[Engineer]
    words: Words = field(default_factory=lambda: Words(f"q{uuid4().hex[:10]}q"))
    work_orders: list[str] = field(default_factory=list)

    @property
    def say(self) -> Any:
        return self.words.of


def test_rec06_nothing_that_was_written_about_an_erased_customer_can_be_read(
    platform: Any, cast: Cast, tmp_path: Path
) -> None:
    since = newest_messages(platform)
    told = Told(cast, [cast.engineer(), cast.engineer()])
    story = a_fault(told)
    customer_id = story.look()["customer_id"]
    grievance = a_complaint(told, customer_id)
    withdrawn(told, customer_id)
    staff_reads_it(told, story, grievance)
    packages = {each: approved(cast, each) for each in (story.case_id, grievance.complaint_id)}
    for number, request_id in enumerate(packages.values()):
        before = export_package(cast, request_id, tmp_path / f"before-{number}.zip")
        assert told.words.found_in(unpacked(before)), "with the customer's key it is in clear"

    cast.do(SUPERVISOR, f"/v1/customers/{customer_id}:erase", {"reason": told.say("erase_reason")})
    everybody_has_forgotten(told, story, grievance)
    assert leaks(platform, told.words, since) == {}
    keys = tmp_path / "keys.json"
    keys.write_text(cast.ask(ONLOOKER, "/v1/record-log/keys").text)
    for number, request_id in enumerate(packages.values()):
        package = export_package(cast, request_id, tmp_path / f"after-{number}.zip")
        assert told.words.found_in(unpacked(package)) == set()
        assert verify("--keys", keys, "package", package) == (0, [])
        assert "已按客户要求清除".encode() in unpacked(package)
    assert (story.record()["satisfaction"], grievance.record()["complete"]) == (5, True)
    platform.assert_nothing_fell_out()


def a_fault(told: Told) -> Story:
    """Reassigned, rejected, failed, visited again, not solved, and settled at the desk."""
    cast, say = told.cast, told.say
    caller = {"name": say("name"), "phone": f"+86{told.words.number('phone')}", "identity_check": CHECKED}
    story = cast.report(caller=caller, subject=f"宽带 {say('subject')}", description=say("description"))
    contact = {"channel": "hotline", "inbound": True, "text": say("interaction")}
    cast.do(DESK, f"/v1/cases/{story.case_id}/interactions", contact, key=str(uuid4()))
    story.step(DESK, "handOver", to="agent", reason=say("hand_over_reason"))
    story.assess(visit=True, note=say("assessment_note"))
    first = story.until_order("assigned")
    other = next(each for each in told.engineers if each.engineer_id != first["engineer_id"])
    story.visit_step("assign", engineer_id=other.engineer_id, reason=say("assign_reason"))
    story.visit_step("reject", reason=say("reject_reason"))
    on_site(story)
    told.work_orders.append(story.order()["work_order_id"])
    story.visit_step("fail", failure=say("failure"))
    story.until("accepted")
    story.assess(visit=True)
    on_site(story)
    told.work_orders.append(story.order()["work_order_id"])
    story.visit_step("complete", report={"found": say("found"), "done": say("done")})
    story.until("delivered")
    story.rate(5, say("survey_comment"))
    story.confirm(solved=False, comment=say("confirmation_comment"))
    story.assess(visit=False)
    story.step(DESK, "startHandling")
    story.step(DESK, "pause", reason=say("pause_reason"))
    story.step(DESK, "resume")
    story.step(DESK, "deliver", result=say("result"))
    story.confirm()
    story.step(DESK, "followUp", note=say("follow_up_note"), reached=True)
    story.until("archived")
    return story


def on_site(story: Story) -> None:
    story.until_order("assigned")
    for verb in ("accept", "arrive"):
        story.visit_step(verb)


def a_complaint(told: Told, customer_id: str) -> Grievance:
    """Investigated, disputed, settled, learned from."""
    cast, say = told.cast, told.say
    grievance = Grievance.by_web(cast, say("complaint_subject"), say("complaint_description"), customer_id=customer_id)
    grievance.classify("other", "medium", note=say("classification_note"))
    grievance.step(HANDLER, "handOver", to="complaint", reason=say("complaint_hand_over"))
    grievance.step(HANDLER, "start")
    grievance.step(HANDLER, "handle", note=say("handling_note"))
    grievance.add(HANDLER, "contacts", channel="hotline", text=say("contact"), inbound=True)
    asked = grievance.add(HANDLER, "investigations", skill=cast.place.skill, level="junior")
    work_order = asked["investigations"][0]["work_order_id"]
    told.work_orders.append(work_order)
    path = f"/v1/work-orders/{work_order}"

    def assigned() -> bool:
        answer = cast.ask(ONLOOKER, path)
        return answer.is_success and answer.json()["state"] == "WORK_ORDER_STATE_ASSIGNED"

    cast.platform.eventually(assigned, "the investigation was never assigned")
    for verb in ("accept", "arrive"):
        cast.do(DISPATCHER, f"{path}:{verb}", {})
    report = {"found": say("investigation_found"), "done": say("investigation_done")}
    cast.do(DISPATCHER, f"{path}:complete", {"report": report})
    done = "INVESTIGATION_STATE_DONE"
    grievance.until(lambda seen: seen["investigations"][0]["state"] == done, "never investigated")
    grievance.finish(say("complaint_result"))
    grievance.step(WEB, "answer", answer="RESULT_ANSWER_REJECTED", score=1, comment=say("result_comment"))
    grievance.finish(say("second_result"))
    grievance.step(WEB, "dispute", claim=say("claim"))
    grievance.add(HANDLER, "dispute-documents", title=say("document_title"), checksum=CHECKSUM)
    grievance.step(HANDLER, "advanceDispute", stage="arbitration", outcome=say("dispute_outcome"))
    grievance.step(HANDLER, "settleDispute", settlement=say("settlement"))
    grievance.step(HANDLER, "analyseCause", cause="process_missing", whys=[say("why")], clause="A2.2.1")
    improve(told, grievance)
    grievance.close(say("summary"))
    return grievance


def improve(told: Told, grievance: Grievance) -> None:
    plan = {
        "indicator": "satisfaction",
        "baseline": 88,
        "goal": 92,
        "owner": "quality",
        "due_at": "2099-01-01T00:00:00Z",
    }
    planned = grievance.add(HANDLER, "improvements", action=told.say("action"), **plan)
    improvement = planned["improvements"][-1]["improvement_id"]
    grievance.improve(HANDLER, improvement, "report", done=told.say("improvement_done"))
    grievance.improve(QUALITY, improvement, "verify", measured=93)
    grievance.improve(QUALITY, improvement, "standardise", standardised_as="process", note=told.say("standard_note"))


def withdrawn(told: Told, customer_id: str) -> None:
    """A second case, of which nothing comes."""
    other = {"subject": told.say("withdrawn_subject"), "caller": {"customer_id": customer_id}}
    story = told.cast.report(**other, kind="inquiry", category="internet_access")
    story.step(APP, "withdraw", reason=told.say("withdrawal_reason"))
    story.until("archived")


def staff_reads_it(told: Told, story: Story, grievance: Grievance) -> None:
    """In clear, as before anything was sealed."""
    words = told.words
    seen = [story.look(), grievance.look(), *orders(told), *(notes(told, each) for each in told.work_orders)]
    read = words.found_in(repr(seen).encode())
    expected = {"result", "found", "done", "failure", "assignreason", "rejectreason", "investigationfound", "summary"}
    assert read >= expected | {"settlement", "disputeoutcome", "documenttitle", "why", "action", "standardnote"}


def everybody_has_forgotten(told: Told, story: Story, grievance: Grievance) -> None:
    """Services with keys of their own hear of it; what people read then is a gap that says so in their language."""
    cast = told.cast

    def forgotten() -> bool:
        seen = [story.look(), grievance.look(), *orders(told)]
        return not told.words.found_in(repr(seen).encode())

    cast.platform.eventually(forgotten, "somebody still remembers")
    for language, gap in ERASED.items():
        case = cast.get(DESK, f"/v1/cases/{story.case_id}", language=language)
        complaint = cast.get(HANDLER, f"/v1/complaints/{grievance.complaint_id}", language=language)
        failed, done, _ = (
            cast.get(ONLOOKER, f"/v1/work-orders/{each}", language=language) for each in told.work_orders
        )
        shown = [case["result"], complaint["summary"], complaint["investigations"][0]["findings"], failed["failure"]]
        assert [*shown, done["report"]["found"]] == [gap] * 5


def orders(told: Told, language: str = "en") -> list[Any]:
    return [told.cast.get(ONLOOKER, f"/v1/work-orders/{each}", language=language) for each in told.work_orders]


def notes(told: Told, work_order: str) -> Any:
    return told.cast.get(ONLOOKER, f"/v1/work-orders/{work_order}/history")


def approved(cast: Cast, record: str) -> str:
    request = request_access(cast, record)
    for approver in (APPROVER, SECOND_ARCHIVIST)[: request["approvals_needed"]]:
        cast.do(approver, f"{REQUESTS}/{request['request_id']}:approve", {})
    return str(request["request_id"])


def unpacked(package: Path) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package.read_bytes())) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())

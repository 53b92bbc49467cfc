"""A customer complains by web about repeated outages: the whole way of a technical complaint (CMP-01 to CMP-08)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from acting import REPORT, Cast, Engineer, Place
from archiving import open_record
from complaining import HANDLER, WEB, Grievance, stage_of

pytestmark = pytest.mark.e2e

PLACE = Place("cn.sc.cd.wuhou", "fiber_splicing")


@dataclass
class Told:
    """The whole story as it went."""

    grievance: Grievance
    engineer: Engineer
    work_order_id: str = ""
    seen: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def told(platform) -> Iterator[Told]:
    cast = Cast(platform, PLACE)
    engineer = cast.engineer()
    grievance = Grievance.by_web(cast, "宽带反复断网", "一个月内第三次断网，报修后又断。")
    told = Told(grievance, engineer)
    told.seen["registered"] = grievance.look()
    grievance.classify("technical_problem", "medium")
    grievance.step(HANDLER, "start")
    grievance.step(HANDLER, "handle", note="已致电客户了解情况")
    asked = grievance.add(HANDLER, "investigations", skill=PLACE.skill, level="junior")
    told.work_order_id = asked["investigations"][0]["work_order_id"]
    told.seen["too_early"] = grievance.refused(HANDLER, "resolve", result="已修复")
    told.seen["visited"] = _visit(told)
    grievance.add(HANDLER, "remedies", kind="repair")
    grievance.add(HANDLER, "remedies", kind="refund", amount=100)
    grievance.finish("已重做接头并退还当月费用。")
    told.seen["fed_back"] = grievance.look()
    grievance.step(WEB, "answer", answer="RESULT_ANSWER_ACCEPTED", score=5, comment="这次很快")
    told.seen["unlearned"] = grievance.refused(HANDLER, "close", summary="完")
    grievance.learn("line_ageing", work_order_ids=[told.work_order_id])
    told.seen["archived"] = grievance.close()
    yield told
    platform.assert_nothing_fell_out()
    cast.go_home()


def _visit(told: Told) -> Any:
    """The engineer goes there; the complaint hears of the outcome by itself."""
    cast = told.grievance.cast
    path = f"/v1/work-orders/{told.work_order_id}"

    def assigned() -> bool:
        answer = cast.ask("auditor", path)
        return answer.is_success and answer.json()["state"] == "WORK_ORDER_STATE_ASSIGNED"

    cast.platform.eventually(assigned, "the investigation was never assigned")
    for step in ("accept", "startTravel", "arrive"):
        cast.do("dispatcher", f"{path}:{step}", {})
    cast.do("dispatcher", f"{path}:complete", {"report": REPORT})
    return told.grievance.until(
        lambda complaint: complaint["investigations"][0]["state"] == "INVESTIGATION_STATE_DONE", "never investigated"
    )


def test_cmp01_it_is_registered_with_an_owner_and_all_its_clocks(told: Told) -> None:
    complaint = told.seen["registered"]
    assert complaint["owner"] == "duty"
    limits = {clock["name"]: _limit(clock) for clock in complaint["clocks"]}
    working_days = limits.pop("complaint_result")
    assert limits == {
        "complaint_registration": timedelta(hours=24),
        "complaint_classification": timedelta(hours=48),
        "complaint_start": timedelta(hours=48),
        "complaint_first_handling": timedelta(hours=72),
        "complaint_closure": timedelta(days=30),
    }
    # Two weekends mostly; next to holidays people work on a Saturday or Sunday, and nobody works ten days in a row.
    assert working_days > timedelta(days=10), "ten working days are more than ten days"


def test_cmp02_class_and_severity_are_proposed_from_the_words(told: Told) -> None:
    """Also CMP-03."""
    proposed = told.seen["registered"]["proposed"]
    assert (proposed["complaint_class"], proposed["severity"]) == ("technical_problem", "medium")
    assert 0.5 < proposed["confidence"] < 1
    assert {"断网", "反复"} <= set(proposed["evidence"])
    assert told.seen["archived"]["proposed"] == proposed


def test_cmp04_dispatch_was_asked_over_the_bus_and_its_outcome_came_by_itself(told: Told) -> None:
    assert told.seen["too_early"] == "investigation_open"
    (investigation,) = told.seen["visited"]["investigations"]
    assert REPORT["found"] in investigation["findings"]
    order = told.grievance.cast.get("auditor", f"/v1/work-orders/{told.work_order_id}")
    assert (order["case_number"], order["asked_by"]) == (told.grievance.number, "complaints")
    remedies = {remedy["kind"]: remedy["amount"] for remedy in told.seen["archived"]["remedies"]}
    assert remedies == {"repair": 0, "refund": 100}


def test_cmp05_the_customer_was_told_asked_and_rated(told: Told) -> None:
    assert stage_of(told.seen["fed_back"]) == "fed_back"
    contacts = told.grievance.cast.get(HANDLER, f"/v1/complaints/{told.grievance.complaint_id}/contacts")["contacts"]
    assert {contact["role"]: contact["text"] for contact in contacts} == {
        "handling_note": "已致电客户了解情况",
        "result_comment": "这次很快",
    }
    assert told.seen["archived"]["satisfaction"] == 5


def test_cmp07_the_root_cause_is_a_chain_and_a_path_in_the_tree(told: Told) -> None:
    """CMP-07: a chain of five whys, linked to its work order and grouped by cause."""
    cause = told.seen["archived"]["cause"]
    assert cause["path"] == ["network", "line_ageing"]
    assert len(cause["whys"]) == 5
    assert cause["work_order_ids"] == [told.work_order_id]
    groups = told.grievance.cast.get("quality", f"/v1/complaint-causes?region={PLACE.region}")["groups"]
    (group,) = [group for group in groups if group["cause"] == "line_ageing"]
    assert (group["path"], group["complaints"]) == (["Network", "Ageing line"], 1)


def test_cmp08_it_was_closed_only_with_a_proven_improvement(told: Told) -> None:
    assert told.seen["unlearned"] == "cause_missing"
    (improvement,) = told.seen["archived"]["improvements"]
    assert improvement["state"] == "IMPROVEMENT_STATE_STANDARDISED"
    assert improvement["measured"] == 93


def test_every_clock_was_met(told: Told) -> None:
    assert set(told.grievance.clocks().values()) == {"met"}


def test_rec01_the_record_tells_the_whole_complaint(told: Told) -> None:
    record = told.grievance.record()
    assert record["complete"] is True, record["missing"]
    assert (record["record_class"], record["case_number"]) == ("complaint", told.grievance.number)
    assert record["record_id"] == told.seen["archived"]["record_id"]
    opened = open_record(told.grievance.cast, record["record_number"])
    assert opened["complaint_history"][0]["happened"] == "complaint_registered"
    assert {text["role"]: text["text"] for text in opened["texts"]}["subject"] == "宽带反复断网"


def _limit(clock: Any) -> timedelta:
    return datetime.fromisoformat(clock["due_at"]) - datetime.fromisoformat(clock["started_at"])

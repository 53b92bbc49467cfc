"""The moves of a complaint: what is allowed, and that clocks and fields always fit (CMP-01, CMP-05, CMP-06)."""

from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
from bihuan.common.v1.common_pb2 import CLOCK_STATE_MET, CLOCK_STATE_RUNNING, Clock
from complaints import disputes
from complaints.causes import path_to
from complaints.complaints import ending, rules, steps
from complaints.complaints.complaint import Complaint, Outcome, Stage
from complaints.complaints.consistency import problems_of
from complaints.complaints.rules import Severity
from complaints.disputes import DisputeRow
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault

from standards import load

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
MINOR = Severity("minor", "complaint_minor", alerts_management=False, leader="")
MAJOR = Severity("major", "complaint_major", alerts_management=True, leader="boss")
ORDERS = {"mediation": 1, "arbitration": 2, "litigation": 3}


def complaint(**facts) -> Complaint:
    return Complaint(
        **{
            "complaint_id": uuid4(),
            "complaint_number": "C2603-0000-0017",
            "version": 1,
            "stage": Stage.REGISTERED,
            "customer_id": uuid4(),
            "channel": "web",
            "region": "cn.gd.gz",
            "category": "internet_access",
            "language": "zh-CN",
            "proposed_class": "technical_problem",
            "proposed_severity": "minor",
            "proposed_confidence": 0.7,
            "proposed_evidence": [],
            "complaint_class": "technical_problem",
            "severity": "minor",
            "priority": 3,
            "owner": "agent",
            "accepted_at": NOW,
            **facts,
        }
    )


MOVES = {
    "classify": lambda it: rules.classify(
        it, complaint_class="other", severity=MINOR, before=MINOR, person_concerned="", classified_by="h"
    ),
    "start": lambda it: rules.start(it, handler="h"),
    "handle": lambda it: rules.record_handling(it, NOW),
    "resolve": lambda it: rules.resolve(it, NOW, result="已修复", severity=MINOR),
    "feed_back": lambda it: rules.feed_back(it, told=it.result, fed_back_by="h"),
    "reopen": lambda it: rules.reopen(it, score=1, severity=MINOR),
    "settle": lambda it: rules.settle(
        it, outcome=Outcome.ACCEPTED, result=it.result, told=it.result, score=5, happened="result_accepted"
    ),
    "dispute": lambda it: disputes.open_dispute(it, NOW, orders=ORDERS),
    "escalate": lambda it: rules.escalate(it, clock="complaint_result", to="boss"),
    "withdraw": lambda it: ending.withdraw(it, NOW),
    "archive": lambda it: ending.archive(it, record_id=uuid4()),
}


def attempt(move, it):
    """The step, or the code with which it is refused."""
    try:
        return move(it), ""
    except Fault as fault:
        return None, fault.code


class Clocks:
    """What the kit would make of the steps' clocks."""

    def __init__(self) -> None:
        self.states: dict[str, int] = {}

    def turn(self, step) -> None:
        cancelled = list(self.states) if step.cancels_all else step.cancels
        for name in cancelled:
            self.states.pop(name, None)
        self.states |= dict.fromkeys(step.starts, CLOCK_STATE_RUNNING)
        for name in step.meets:
            if self.states.get(name) == CLOCK_STATE_RUNNING:
                self.states[name] = CLOCK_STATE_MET

    def as_told(self) -> list[Clock]:
        return [Clock(name=name, state=state) for name, state in self.states.items()]


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=30))
def test_cmp_01_whatever_is_tried_stage_clocks_and_fields_fit(tried):
    clocks = Clocks()
    step = rules.register(complaint(), MINOR)
    clocks.turn(step)
    now = step.after
    for move in tried:
        before = now
        step, code = attempt(MOVES[move], now)
        if step is None:
            assert (code, now) == ("transition_forbidden", before)
            continue
        clocks.turn(step)
        now = step.after
        assert now.version == before.version + 1
        assert problems_of(now, clocks.as_told()) == []


def test_cmp_03_what_looks_major_alerts_at_once_and_confirming_it_does_not_again():
    registered = rules.register(complaint(severity="major", proposed_severity="major"), MAJOR)
    assert [event.DESCRIPTOR.name for event in registered.events] == ["ComplaintRegistered", "MajorComplaintAlerted"]
    assert "complaint_major" in registered.starts
    confirmed = rules.classify(
        registered.after, complaint_class="other", severity=MAJOR, before=MAJOR, person_concerned="", classified_by="h"
    )
    assert [event.DESCRIPTOR.name for event in confirmed.events] == ["ComplaintClassified"]
    assert confirmed.starts == confirmed.cancels == ()
    lowered = rules.classify(
        registered.after, complaint_class="other", severity=MINOR, before=MAJOR, person_concerned="", classified_by="h"
    )
    assert (lowered.cancels, lowered.starts, lowered.after.leader) == (("complaint_major",), ("complaint_minor",), "")


def test_cmp_03_only_major_complaints_have_a_leader():
    with pytest.raises(Fault, match="transition_forbidden"):
        rules.take_lead(complaint(), MINOR, leader="boss")


@given(st.lists(st.sampled_from(sorted(ORDERS)), max_size=6))
def test_cmp_06_no_stage_of_a_dispute_is_skipped(asked):
    disputed = complaint(stage=Stage.DISPUTED)
    stages = [DisputeRow(complaint_id=disputed.complaint_id, stage="mediation", opened_at=NOW)]
    for stage in asked:
        advance = partial(disputes.advance, now=NOW, dispute=stages, to=stage, outcome="不成", orders=ORDERS)
        step, code = attempt(advance, disputed)
        assert step is not None or code == "dispute_stage_skipped"
        stages = [*stages[:-1], *step.rows] if step else stages
    assert [stage.stage for stage in stages] == ["mediation", "arbitration", "litigation"][: len(stages)]


def test_cmp_07_a_cause_is_a_leaf_of_the_tree():
    tree = load().classes.complaint_causes
    assert path_to("line_ageing", tree) == ["network", "line_ageing"]
    for unknown in ("network", "bad_luck"):
        with pytest.raises(Fault, match="cause_unknown"):
            path_to(unknown, tree)


def test_every_clock_is_in_the_standards():
    assert set(steps.ALL) <= load().clocks.keys()

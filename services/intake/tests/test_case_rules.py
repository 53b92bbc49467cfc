"""The life cycle's rules: whatever happens in whatever order, a case stays in the loop (INT-05, INT-07, INT-11)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from bihuan.common.v1 import common_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from intake.cases import care, incidents, rules, steps, visits
from intake.cases.case import ANSWERABLE, ENDED, Case, Confirmation, Outcome, Stage
from intake.cases.consistency import problems_of
from intake.cases.rules import Classification, Visit
from intake.cases.steps import Step
from servicekit.errors import Fault

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
URGENCIES = {"low": 4, "normal": 3, "high": 2, "critical": 1}


def a_case(**changes: object) -> Case:
    """A fault report as it stands right after it was accepted."""
    case = Case(
        case_id=uuid4(),
        case_number="2611-0000-0017",
        version=1,
        stage=Stage.ACCEPTED,
        customer_id=uuid4(),
        channel="app",
        identity_check="token",
        region="cn.gd.gz.tianhe",
        language="zh-CN",
        sealed_subject=b"s",
        sealed_description=b"d",
        proposed_kind="fault_repair",
        proposed_category="internet_access",
        proposed_urgency="normal",
        proposed_confidence=0.8,
        proposed_evidence=["宽带"],
        kind="fault_repair",
        category="internet_access",
        urgency="normal",
        response_clock="fault_response",
        priority=3,
        owner="duty",
        accepted_at=START,
        stage_entered_at=START,
    )
    return case.model_copy(update=changes)


@dataclass
class Life:
    """A case with its clocks, moved by steps the way the store moves the stored one."""

    case: Case = field(default_factory=a_case)
    clocks: dict[str, common_pb2.ClockState] = field(
        default_factory=lambda: dict.fromkeys(("fault_response", steps.ASSESSMENT), common_pb2.CLOCK_STATE_RUNNING)
    )
    now: datetime = START
    old_work_orders: list[UUID] = field(default_factory=list)

    def take(self, step: Step) -> None:
        before, self.case = self.case, step.after
        if before.work_order_id and before.work_order_id != step.after.work_order_id:
            self.old_work_orders.append(before.work_order_id)
        self.turn(step.cancels if not step.cancels_all else self.clocks, common_pb2.CLOCK_STATE_CANCELLED)
        for start in step.starts:
            assert self.clocks.get(start.clock) not in {common_pb2.CLOCK_STATE_RUNNING, common_pb2.CLOCK_STATE_PAUSED}
            self.clocks[start.clock] = common_pb2.CLOCK_STATE_RUNNING
        self.turn(step.meets, common_pb2.CLOCK_STATE_MET)
        stands_still = step.after.waiting_for_customer
        ticking = {common_pb2.CLOCK_STATE_RUNNING, common_pb2.CLOCK_STATE_PAUSED}
        for name, state in self.clocks.items():
            if state in ticking:
                self.clocks[name] = common_pb2.CLOCK_STATE_PAUSED if stands_still else common_pb2.CLOCK_STATE_RUNNING

    def turn(self, names: Iterable[str], state: common_pb2.ClockState) -> None:
        for name in list(names):
            if self.clocks.get(name) in {common_pb2.CLOCK_STATE_RUNNING, common_pb2.CLOCK_STATE_PAUSED}:
                self.clocks[name] = state

    def listed_clocks(self) -> list[common_pb2.Clock]:
        return [common_pb2.Clock(name=name, state=state) for name, state in self.clocks.items()]

    def miss(self, clock: str) -> None:
        if self.clocks.get(clock) != common_pb2.CLOCK_STATE_RUNNING:
            raise Fault("transition_forbidden")
        self.clocks[clock] = common_pb2.CLOCK_STATE_MISSED
        if clock == steps.CUSTOMER_CONFIRMATION:
            self.take(rules.confirm(self.case, self.now, confirmation=Confirmation.BY_DEFAULT))
        else:
            self.take(care.escalate(self.case, clock=clock, supervisor="supervisor.gz"))

    def report(self, name: str, rule: Callable[[], Step], *, stale: bool = False) -> None:
        """What reactions.py does: a report that the case doesn't follow is only noted."""
        work_order = self.old_work_orders[-1] if stale and self.old_work_orders else self.case.work_order_id
        if work_order is None:
            raise Fault("transition_forbidden")
        follows = visits.follows(self.case, work_order, version=self.case.work_order_version)
        self.take(rule() if follows else visits.stale(self.case, name, work_order))


E1, E2 = visits.Engineer("e1", "u1", "Chen"), visits.Engineer("e2")
INCIDENT = uuid4()
VERDICT = Classification("fault_repair", "internet_access", "high")


def assess_for_visit(life: Life) -> None:
    visit = Visit(uuid4(), "broadband_repair", "junior")
    life.take(
        rules.assess(life.case, life.now, assessor="a", verdict=VERDICT, visit=visit, urgency_priorities=URGENCIES)
    )


def assess_for_desk(life: Life) -> None:
    life.take(
        rules.assess(life.case, life.now, assessor="a", verdict=VERDICT, visit=None, urgency_priorities=URGENCIES)
    )


def answer_survey(life: Life) -> None:
    life.take(care.answer_survey(life.case, score=1, channel="app"))
    life.take(care.note_low_score(life.case))


def join_report(life: Life) -> None:
    for step in rules.join_report(life.case, life.now, channel="hotline"):
        life.take(step)


def completed(life: Life) -> Step:
    return visits.completed(life.case, life.now, engineer=E2, result="换了光猫", finished_at=life.now)


ACTIONS: list[Callable[[Life], None]] = [
    assess_for_visit,
    assess_for_desk,
    answer_survey,
    join_report,
    lambda life: life.take(rules.start_handling(life.case, life.now, handler="a2")),
    lambda life: life.take(rules.deliver(life.case, life.now, result="已恢复", delivered_by="a2")),
    lambda life: life.take(rules.confirm(life.case, life.now, confirmation=Confirmation.BY_CUSTOMER)),
    lambda life: life.take(rules.reopen_unsolved(life.case, life.now)),
    lambda life: life.take(rules.close(life.case, life.now, reached=True)),
    lambda life: life.take(rules.withdraw(life.case, life.now)),
    lambda life: life.take(rules.archive(life.case, life.now, record_id=uuid4())),
    lambda life: life.take(incidents.attached(life.case, life.now, incident_id=INCIDENT)),
    lambda life: life.take(incidents.restored(life.case, life.now, result="已恢复", restored_at=life.now)),
    lambda life: life.take(incidents.released(life.case, life.now, reason="incident_dismissed")),
    lambda life: life.take(care.pause(life.case)),
    lambda life: life.take(care.resume(life.case)),
    lambda life: life.take(care.hand_over(life.case, to="agent-9")),
    lambda life: life.take(care.add_interaction(life.case, channel="app", inbound=True)),
    *(
        (lambda life, engineer=engineer: life.report(
            "assigned", lambda: visits.assigned(life.case, life.now, engineer=visits.Engineer(engineer), version=2)
        ))
        for engineer in ("e1", "e2")
    ),
    lambda life: life.report("accepted", lambda: visits.accepted(life.case, life.now, engineer=E1, version=3)),
    lambda life: life.report("completed", lambda: completed(life)),
    lambda life: life.report("completed", lambda: completed(life), stale=True),
    lambda life: life.report("failed", lambda: visits.broken_off(life.case, life.now)),
    *(
        (lambda life, clock=clock: life.miss(clock))
        for clock in ("fault_response", *steps.WORK_CLOCKS, steps.CUSTOMER_CONFIRMATION, steps.FOLLOW_UP, steps.FILING)
    ),
]  # fmt: skip


def code_of_refusal(action: Callable[[Life], None], life: Life) -> str | None:
    try:
        action(life)
    except Fault as fault:
        return fault.code
    return None


@given(st.lists(st.sampled_from(ACTIONS), max_size=60))
@settings(max_examples=400, deadline=None)
def test_nothing_leaves_the_loop(actions: list[Callable[[Life], None]]) -> None:
    """Any sequence of moves: a refused one changes nothing, an allowed one keeps stage, clocks and fields in step."""
    life = Life()
    for action in actions:
        before = life.case
        life.now += timedelta(minutes=10)
        if (refusal := code_of_refusal(action, life)) is not None:
            assert refusal in {"transition_forbidden", "survey_already_answered"}
            assert life.case is before
            continue
        assert problems_of(life.case, life.listed_clocks()) == []
        assert 1 <= life.case.priority <= 5
        if life.case.stage != before.stage:
            assert life.case.version > before.version
            assert life.case.stage_entered_at == life.now
        assert life.case.version >= before.version
        if life.case != before:
            assert life.case.version > before.version


def test_desk_case_goes_round_the_whole_loop() -> None:
    life = Life()
    assess_for_desk(life)
    assert (life.case.stage, life.case.handler) == (Stage.ASSIGNED, "duty")
    for step in (
        lambda: rules.start_handling(life.case, life.now, handler="a2"),
        lambda: rules.deliver(life.case, life.now, result="ok", delivered_by="a2"),
        lambda: rules.confirm(life.case, life.now, confirmation=Confirmation.BY_CUSTOMER),
        lambda: rules.close(life.case, life.now, reached=True),
        lambda: rules.archive(life.case, life.now, record_id=uuid4()),
    ):
        life.take(step())
    assert life.case.stage == Stage.ARCHIVED
    assert life.case.outcome == Outcome.SOLVED
    assert not {common_pb2.CLOCK_STATE_RUNNING, common_pb2.CLOCK_STATE_PAUSED} & set(life.clocks.values())


def test_int11_not_solved_reopens_the_same_case_with_higher_priority() -> None:
    case = a_case(stage=Stage.DELIVERED, result="done", work_order_id=uuid4(), handler="e1", survey_sent_at=START)
    step = rules.reopen_unsolved(case, START)
    assert (step.after.stage, step.after.priority, step.after.reopened_times) == (Stage.ACCEPTED, 2, 1)
    assert (step.after.work_order_id, step.after.handler, step.after.result) == (None, "", "")
    assert [type(event).__name__ for event in step.events] == ["CaseReopened"]


def test_int11_silence_is_marked_as_such() -> None:
    step = rules.confirm(a_case(stage=Stage.DELIVERED), START, confirmation=Confirmation.BY_DEFAULT)
    assert step.after.confirmation == Confirmation.BY_DEFAULT
    assert step.details == {"confirmation": "by_default"}


def test_int04_override_keeps_the_proposal_and_moves_priority_by_the_urgencies() -> None:
    case = a_case(priority=2)  # a repeat raised it from 3
    verdict = Classification("inquiry", "mobile", "low")
    step = rules.assess(case, START, assessor="a", verdict=verdict, visit=None, urgency_priorities=URGENCIES)
    assert (step.after.proposed_kind, step.after.kind) == ("fault_repair", "inquiry")
    assert step.after.priority == 3
    assert step.events[0].proposal_kept is False


def test_int12_one_valid_answer() -> None:
    case = a_case(stage=Stage.DELIVERED, survey_sent_at=START)
    answered = care.answer_survey(case, score=5, channel="app").after
    with pytest.raises(Fault, match="survey_already_answered"):
        care.answer_survey(answered, score=1, channel="app")


@pytest.mark.parametrize("stage", sorted(set(Stage) - ANSWERABLE))
def test_int12_no_answer_before_the_survey_and_none_behind_the_records_back(stage: Stage) -> None:
    case = a_case(stage=stage, survey_sent_at=START if stage in ENDED else None)
    with pytest.raises(Fault, match="transition_forbidden"):
        care.answer_survey(case, score=1, channel="app")


def test_int08_handing_over_takes_desk_work_along() -> None:
    desk = care.hand_over(a_case(stage=Stage.ASSIGNED, handler="duty"), to="li").after
    assert (desk.owner, desk.handler) == ("li", "li")
    visit = care.hand_over(a_case(stage=Stage.ASSIGNED, handler="e1", work_order_id=uuid4()), to="li").after
    assert (visit.owner, visit.handler) == ("li", "e1")


def test_dsp03_reports_of_a_work_order_that_is_not_the_cases_own_are_ignored() -> None:
    current = uuid4()
    case = a_case(stage=Stage.ASSESSED, work_order_id=current, work_order_version=4)
    assert visits.follows(case, current, version=4)
    assert not visits.follows(case, current, version=3)
    assert not visits.follows(case, uuid4(), version=9)
    assert not visits.follows(a_case(stage=Stage.CLOSED, work_order_id=current), current, version=9)


def test_dsp03_completed_before_accepted_was_seen_still_delivers() -> None:
    case = a_case(stage=Stage.ASSESSED, work_order_id=uuid4())
    step = visits.completed(case, START, engineer=E1, result="ok", finished_at=START)
    assert (step.after.stage, step.after.handler) == (Stage.DELIVERED, "e1")


def test_dsp04_another_engineer_restarts_only_the_engineers_clock() -> None:
    case = a_case(stage=Stage.HANDLING, work_order_id=uuid4(), handler="e1")
    step = visits.assigned(case, START, engineer=E2, version=5)
    assert step.after.stage == Stage.ASSIGNED
    assert [start.clock for start in step.starts] == [steps.STAFF_ASSESSMENT]


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.ACCEPTED}))
def test_forbidden_moves_say_which_and_where(stage: Stage) -> None:
    with pytest.raises(Fault) as refused:
        rules.assess(
            a_case(stage=stage), START, assessor="a", verdict=VERDICT, visit=None, urgency_priorities=URGENCIES
        )
    assert (refused.value.code, refused.value.params) == (
        "transition_forbidden",
        {"action": "assess", "state": stage.value},
    )


def test_int14_a_new_report_on_a_delivered_case_reopens_it() -> None:
    case = a_case(stage=Stage.DELIVERED, result="done", survey_sent_at=START)
    happened = [step.happened for step in rules.join_report(case, START, channel="app")]
    assert happened == ["report_joined", "case_reopened"]
    assert [step.happened for step in rules.join_report(a_case(), START, channel="app")] == ["report_joined"]


def test_loop_check_names_what_is_wrong() -> None:
    assert problems_of(a_case(stage=Stage.CLOSED), [])[0] == "clock filing was never started"

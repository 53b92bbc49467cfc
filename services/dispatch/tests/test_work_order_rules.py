"""The life cycle of a work order (DSP-03), for any order of moves."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from bihuan.dispatch.v1 import events_pb2, work_orders_pb2
from dispatch.engineers.engineer import Engineer
from dispatch.work_orders import rules
from dispatch.work_orders.work_order import HELD, OPEN, State, WorkOrder
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from servicekit.errors import Fault
from servicekit.windows import Window

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
REPORT = work_orders_pb2.Report(found="wet joint", done="spliced anew")


def an_order(state=State.WAITING, **facts):
    return WorkOrder.model_validate(
        {
            "work_order_id": UUID(int=1),
            "work_order_number": "W2603-0000-0010",
            "version": 1,
            "state": state,
            "case_id": UUID(int=2),
            "case_number": "2603-0000-0017",
            "region": "cn.gd.gz",
            "skill": "broadband_repair",
            "level": "junior",
            "priority": 3,
            "engineer_id": None if state in {State.WAITING, State.PLANNED} else UUID(int=7),
            "created_at": NOW,
            **facts,
        }
    )


def an_engineer(serial):
    return Engineer(
        engineer_id=UUID(int=serial),
        version=1,
        display_name=f"engineer {serial}",
        user_id=f"engineer{serial}",
        territory="cn",
        registered_at=NOW,
    )


SOON = Window(NOW + timedelta(hours=5), NOW + timedelta(hours=7))
MOVES = {
    "plan": lambda order, who: rules.plan(order, window=SOON, assign_at=NOW + timedelta(hours=1)),
    "call_up": lambda order, who: rules.call_up(order),
    "assign": lambda order, who: rules.assign(order, NOW, engineer=an_engineer(who), reasons=["only_candidate"]),
    "wait": lambda order, who: rules.wait(order, reason="all_at_capacity", counts={"at_capacity": who}),
    "withdraw": lambda order, who: rules.withdraw(order, because="shift_ended"),
    "reject": lambda order, who: rules.reject(order, reason="no van"),
    "accept": lambda order, who: rules.accept(order, NOW),
    "start_travel": lambda order, who: rules.start_travel(order),
    "arrive": lambda order, who: rules.arrive(order, NOW),
    "complete": lambda order, who: rules.complete(order, NOW, report=REPORT, told=REPORT),
    "fail": lambda order, who: rules.fail(order, NOW, failure="nobody at home", told="nobody at home"),
    "cancel": lambda order, who: rules.cancel(order, NOW, reason="withdrawn"),
}
ALLOWED = {
    "plan": {State.WAITING, State.PLANNED},
    "call_up": {State.PLANNED},
    "assign": {State.PLANNED, State.WAITING, State.ASSIGNED, State.ACCEPTED, State.TRAVELLING},
    "wait": {State.WAITING},
    "withdraw": {State.ASSIGNED, State.ACCEPTED},
    "reject": {State.ASSIGNED},
    "accept": {State.ASSIGNED},
    "start_travel": {State.ACCEPTED},
    "arrive": {State.ACCEPTED, State.TRAVELLING},
    "complete": {State.ON_SITE},
    "fail": {State.ACCEPTED, State.TRAVELLING, State.ON_SITE},
    "cancel": set(OPEN),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", State)
def test_dsp_03_every_move_from_every_state_is_allowed_or_refused_by_code(move, state):
    order = an_order(state)
    if state in ALLOWED[move]:
        step = MOVES[move](order, 8)
        assert step.after.version == order.version + 1
    else:
        with pytest.raises(Fault) as refused:
            MOVES[move](order, 8)
        assert refused.value.code == "transition_forbidden"
        assert refused.value.params == {"action": move, "state": state.value}


class WorkOrderLife(RuleBasedStateMachine):
    """Any sequence of moves: what must hold after each."""

    @initialize()
    def create(self):
        step = rules.create(an_order())
        self.order = step.after
        self.running = set(step.starts)
        self.final = None

    @rule(move=st.sampled_from(sorted(MOVES)), who=st.integers(7, 9))
    def try_a_move(self, move, who):
        before = self.order
        try:
            step = MOVES[move](before, who)
        except Fault:
            assert before.state not in ALLOWED[move]
            return
        self.order = step.after
        self.running -= {*step.cancels, *step.meets}
        self.running |= set(step.starts)
        if step.event is not None:
            assert step.event.work_order_id == str(before.work_order_id)
            assert step.event.case_id == str(before.case_id)

    @invariant()
    def somebody_has_it_exactly_when_its_state_says_so(self):
        if self.order.state in HELD:
            assert self.order.held_by == self.order.engineer_id
            assert self.order.engineer_id is not None
        else:
            assert self.order.held_by is None

    @invariant()
    def exactly_the_clock_of_its_state_runs(self):
        running = {
            State.PLANNED: rules.APPOINTMENT_ASSIGNMENT,
            State.WAITING: rules.ASSIGNMENT,
            State.ASSIGNED: rules.ACCEPTANCE,
        }
        handled = dict.fromkeys((State.ACCEPTED, State.TRAVELLING, State.ON_SITE), rules.HANDLING)
        expected = {**running, **handled}.get(self.order.state)
        assert self.running == ({expected} if expected else set())

    @invariant()
    def what_is_over_stays_over(self):
        if self.final is None and self.order.state not in OPEN:
            self.final = self.order
        if self.final is not None:
            assert self.order == self.final


test_dsp_03_life_of_a_work_order = WorkOrderLife.TestCase


def test_taking_it_from_one_and_giving_it_to_another_names_both():
    assigned = rules.assign(an_order(), NOW, engineer=an_engineer(7), reasons=["only_candidate"]).after
    waiting = rules.withdraw(assigned, because="qualification_revoked").after
    step = rules.assign(waiting, NOW + timedelta(minutes=1), engineer=an_engineer(8), reasons=["least_loaded"])
    assert isinstance(step.event, events_pb2.WorkOrderAssigned)
    assert step.event.previous_engineer_id == str(UUID(int=7))
    assert (assigned.reassigned_times, step.after.reassigned_times) == (0, 1)


def test_given_back_to_the_same_engineer_it_was_not_taken_from_anybody_else():
    assigned = rules.assign(an_order(), NOW, engineer=an_engineer(7), reasons=["only_candidate"]).after
    waiting = rules.withdraw(assigned, because="shift_ended").after
    step = rules.assign(waiting, NOW, engineer=an_engineer(7), reasons=["only_candidate"])
    assert step.event.previous_engineer_id == ""
    assert step.after.reassigned_times == 0


def test_who_rejects_is_remembered_and_who_loses_a_qualification_is_not():
    assert rules.reject(an_order(State.ASSIGNED), reason="no van").after.declined_by == [UUID(int=7)]
    assert rules.withdraw(an_order(State.ASSIGNED), because="qualification_revoked").after.declined_by == []


def test_the_report_is_kept_with_the_contracts_names():
    report = work_orders_pb2.Report(
        found="wet joint", done="spliced anew", readings=[work_orders_pb2.Reading(name="optical_power", value=-18.5)]
    )
    step = rules.complete(an_order(State.ON_SITE), NOW, report=report, told=report)
    assert step.after.report["readings"] == [{"name": "optical_power", "value": -18.5}]
    assert step.event.report == report
    assert step.event.finished_at.ToDatetime(tzinfo=UTC) == NOW

"""When many reports are one outage, and how a case follows it (INT-15)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from intake.cases import incidents, rules, visits
from intake.cases.case import UNSOLVED, Stage
from intake.outages.outage import Outage, State
from intake.outages.rules import Area, MassRule, Sightings, covering
from servicekit.errors import Fault
from test_case_rules import a_case

from standards import load

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
RULE = MassRule(window=timedelta(minutes=10), customers=5)
TIANHE = Area("cn.gd.gz.tianhe", "internet_access")


@pytest.mark.parametrize(("customers", "mass"), [(4, False), (5, True), (6, True)])
def test_int15_so_many_customers_are_one_outage(customers: int, mass: bool) -> None:
    assert RULE.is_mass(Sightings(customers, NOW)) is mass


def test_the_figures_are_those_of_the_standards() -> None:
    assert MassRule.of(load()) == MassRule(timedelta(minutes=10), 40)


@pytest.mark.parametrize(
    ("region", "category", "state", "covers"),
    [
        ("cn.gd.gz.tianhe", "internet_access", State.OPEN, True),
        ("cn.gd.gz", "internet_access", State.OPEN, True),
        ("cn.gd.gz.tianhe", "internet_access", State.ASKED, True),
        ("cn.gd.gz.tianhe", "mobile", State.OPEN, False),
        ("cn.gd.gz.yuexiu", "internet_access", State.OPEN, False),
        ("cn.gd.gz.tianhe.wushan", "internet_access", State.OPEN, False),
        ("cn.gd.gz.tianhe", "internet_access", State.RESTORED, False),
    ],
)
def test_int15_reports_of_other_places_and_services_are_none_of_its_own(region, category, state, covers) -> None:
    outage = Outage(incident_id=uuid4(), state=state, region=region, categories=[category], since=NOW)
    assert (covering(TIANHE, [outage]) is outage) is covers


@pytest.mark.parametrize("stage", Stage)
def test_only_what_is_unsolved_and_nobody_elses_is_attached(stage: Stage) -> None:
    incident_id = uuid4()
    case = a_case(stage=stage)
    if stage not in UNSOLVED:
        with pytest.raises(Fault, match="transition_forbidden"):
            incidents.attached(case, NOW, incident_id=incident_id)
        return
    step = incidents.attached(case, NOW, incident_id=incident_id)
    assert step.after.waits_for_incident
    for taken in (step.after, a_case(stage=stage, complaint_id=uuid4())):
        with pytest.raises(Fault, match="transition_forbidden"):
            incidents.attached(taken, NOW, incident_id=uuid4())


def test_its_own_visit_is_called_off_unless_somebody_is_there() -> None:
    case = a_case(stage=Stage.HANDLING, work_order_id=uuid4(), handler="e1", handler_name="Chen")
    step = incidents.attached(case, NOW, incident_id=uuid4())
    (command,) = step.commands
    assert isinstance(command, dispatch_events.CancelWorkOrder)
    assert (command.work_order_id, command.unless_on_site) == (str(case.work_order_id), True)
    assert step.after.handler == "e1", "until dispatch says that the visit is off"
    off = visits.broken_off(step.after, NOW)
    assert (off.after.stage, off.after.handler, off.after.work_order_id) == (Stage.HANDLING, "incident", None)
    done = visits.completed(step.after, NOW, engineer=visits.Engineer("e1"), result="ok", finished_at=NOW)
    assert done.after.stage == Stage.DELIVERED


def test_not_solved_for_me_goes_on_alone() -> None:
    waiting = incidents.attached(a_case(), NOW, incident_id=uuid4()).after
    delivered = incidents.restored(waiting, NOW, result="ok", restored_at=NOW).after
    assert delivered.incident_id == waiting.incident_id, "what it was solved with is kept"
    again = rules.reopen_unsolved(delivered, NOW).after
    assert (again.stage, again.incident_id, again.priority) == (Stage.ACCEPTED, None, 2)


def test_a_dismissed_incident_leaves_ordinary_cases() -> None:
    waiting = incidents.attached(a_case(), NOW, incident_id=uuid4()).after
    alone = incidents.released(waiting, NOW, reason="incident_dismissed")
    assert (alone.after.stage, alone.after.incident_id) == (Stage.ACCEPTED, None)
    visited = waiting.model_copy(update={"work_order_id": uuid4(), "handler": "e1"})
    goes_on = incidents.released(visited, NOW, reason="incident_dismissed").after
    assert (goes_on.stage, goes_on.handler, goes_on.incident_id) == (Stage.HANDLING, "e1", None)

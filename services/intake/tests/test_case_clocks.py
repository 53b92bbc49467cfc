"""What the clocks of cases do on a real database: warnings, escalation, silence (INT-05, INT-06, INT-07, INT-11)."""

from datetime import timedelta

import pytest
from bihuan.intake.v1 import cases_pb2, events_pb2
from intake.cases import closing, store
from intake.cases.case import Confirmation, Stage
from intake.clocks import build_clocks
from intake.desk import Desk
from intake.facts import entity_facts
from servicekit.clock import ManualClock
from servicekit.database import Database
from servicekit.deadlines.firing import Firing
from servicekit.identity import Principal

from standards import Standards

ENGINEER = "01890000-0000-7000-8000-000000000001"


class Watch:
    """Platform time in the test's hands, and the runner that acts on marks."""

    def __init__(self, clock: ManualClock, firing: Firing) -> None:
        self.now = clock.now
        self.advance = clock.advance
        self._firing = firing

    async def fire(self) -> None:
        while await self._firing.fire_due():
            pass


@pytest.fixture
def watch(database: Database, desk: Desk, manual_clock: ManualClock) -> Watch:
    return Watch(manual_clock, Firing(database, build_clocks(desk)))


def test_every_watched_clock_is_in_the_standards(desk: Desk, standards: Standards) -> None:
    assert build_clocks(desk).clocks <= standards.clocks.keys()


async def test_int07_warnings_then_escalation_to_the_regions_supervisor(
    office, a_request, app: Principal, watch: Watch
) -> None:
    case = (await office.open(a_request(), app)).case
    watch.advance(timedelta(hours=2))
    await watch.fire()
    watch.advance(timedelta(hours=2))
    await watch.fire()
    late = await office.case(case.case_id)
    assert await office.history(case) == ["case_opened", "clock_warned", "clock_warned", "case_escalated"]
    assert (late.stage, late.priority, late.version) == (Stage.ACCEPTED, case.priority - 1, 2)
    (event,) = await office.sent(events_pb2.CaseEscalated)
    assert (event.clock, event.escalated_to) == ("fault_response", "supervisor.gz")
    assert await office.problems(late) == []


async def test_int11_silence_confirms_by_default_and_does_not_escalate(
    office, a_request, app: Principal, agent: Principal, watch: Watch
) -> None:
    case = await office.assess((await office.open(a_request(), app)).case, agent, needs_visit=True)
    await office.tell_completed(case, ENGINEER, watch.now())
    watch.advance(timedelta(hours=24))
    await watch.fire()
    silent = await office.case(case.case_id)
    assert (silent.stage, silent.confirmation) == (Stage.CONFIRMED, Confirmation.BY_DEFAULT)
    assert (await office.clocks(case))["customer_confirmation"] == "missed"
    assert (await office.clocks(case))["follow_up"] == "running"
    assert await office.sent(events_pb2.CaseEscalated) == []
    assert await office.problems(silent) == []


async def test_int11_an_answer_before_the_mark_is_acted_on_counts(
    office, a_request, app: Principal, agent: Principal, watch: Watch
) -> None:
    """The service was down when the clock ran out; the customer answered before it came to that."""
    case = await office.assess((await office.open(a_request(), app)).case, agent, needs_visit=True)
    await office.tell_completed(case, ENGINEER, watch.now())
    watch.advance(timedelta(hours=30))
    request = cases_pb2.ConfirmResultRequest(case=case.case_number, solved=True)
    await office.change(closing.confirm_result, app, request)
    await watch.fire()
    answered = await office.case(case.case_id)
    assert (answered.stage, answered.confirmation) == (Stage.CONFIRMED, Confirmation.BY_CUSTOMER)
    assert await office.problems(answered) == []


async def test_loop_check_sees_every_case_and_what_is_wrong(
    office, a_request, app: Principal, database: Database
) -> None:
    cases = [(await office.open(a_request(phone=f"1390000{n:04}"), app)).case for n in range(3)]
    async with database.transaction("facts") as tx:
        first = await entity_facts(tx, "", 2)
        second = await entity_facts(tx, first[-1].entity_id, 2)
    facts = [*first, *second]
    assert [fact.entity_id for fact in facts] == [str(case.case_id) for case in cases]
    assert {fact.state for fact in facts} == {"accepted"}
    assert all(list(fact.problems) == [] for fact in facts)
    assert sorted(facts[0].running_clocks) == ["assessment", "fault_response"]


async def test_int07_a_case_in_use_neither_waits_for_the_runner_nor_makes_it_wait(
    office, a_request, app: Principal, database: Database, watch: Watch
) -> None:
    """A use case locks its case and then its clocks, and the runner meets it halfway."""
    used, free = [(await office.open(a_request(phone=phone), app)).case for phone in ("13800000001", "13800000002")]
    watch.advance(timedelta(hours=2))
    async with database.transaction("use") as tx:
        await store.lock(tx, str(used.case_id))
        await watch.fire()
        assert await office.history(free) == ["case_opened", "clock_warned"]
        clocks = await tx.fetch("SELECT fires_at, last_error FROM deadlines WHERE subject_id = $1", str(used.case_id))
        assert [row["last_error"] for row in clocks if row["fires_at"] <= watch.now()] == [""], "still due, not failed"
    assert await office.history(used) == ["case_opened"]
    await watch.fire()
    assert await office.history(used) == ["case_opened", "clock_warned"]

"""What the loop check finds wrong with a work order (DSP-03)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from bihuan.common.v1.common_pb2 import CLOCK_STATE_MISSED, CLOCK_STATE_RUNNING, Clock
from dispatch.engineers.tables import ENGINEERS
from dispatch.work_orders.consistency import problems_of
from dispatch.work_orders.work_order import State, WorkOrder
from sqlalchemy import update

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def an_order(state, **facts):
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
            "engineer_id": UUID(int=7),
            "created_at": NOW,
            **facts,
        }
    )


def clock(name, state="RUNNING"):
    return Clock(name=f"work_order_{name}", state=f"CLOCK_STATE_{state}")


WAITING = {"engineer_id": None, "assignment_reasons": ["all_at_capacity"]}
PLANNED = {"engineer_id": None, "window_start": NOW, "window_end": NOW + timedelta(hours=2)}
CALLED_UP = "appointment_assignment"
SOUND = [
    (an_order(State.PLANNED, **PLANNED), [Clock(name=CALLED_UP, state=CLOCK_STATE_RUNNING)]),
    (an_order(State.WAITING, **WAITING), [clock("assignment")]),
    (an_order(State.WAITING, **WAITING), [clock("assignment", "MISSED")]),
    (an_order(State.ASSIGNED), [clock("assignment", "MET"), clock("acceptance", "MISSED"), clock("acceptance")]),
    (an_order(State.ON_SITE), [clock("acceptance", "MET"), clock("handling", "MISSED")]),
    (an_order(State.DONE, report={"found": "x"}, finished_at=NOW), [clock("handling", "MET")]),
    (an_order(State.CANCELLED, engineer_id=None, failure="withdrawn", finished_at=NOW), []),
]
UNSOUND = [
    (
        an_order(State.PLANNED, **PLANNED),
        [Clock(name=CALLED_UP, state=CLOCK_STATE_MISSED)],
        "clock appointment_assignment is CLOCK_STATE_MISSED in state planned",
    ),
    (
        an_order(State.PLANNED, engineer_id=None),
        [Clock(name=CALLED_UP, state=CLOCK_STATE_RUNNING)],
        "an appointed time is expected in state planned",
    ),
    (an_order(State.WAITING, **WAITING), [], "clock work_order_assignment was never started"),
    (an_order(State.WAITING, engineer_id=None), [clock("assignment")], "why it waits is expected in state waiting"),
    (
        an_order(State.ASSIGNED),
        [clock("acceptance", "MISSED")],
        "clock work_order_acceptance is CLOCK_STATE_MISSED in state assigned",
    ),
    (an_order(State.ACCEPTED, engineer_id=None), [clock("handling")], "an engineer is expected in state accepted"),
    (
        an_order(State.DONE, report={"found": "x"}, finished_at=NOW),
        [clock("handling")],
        "clock work_order_handling still runs in state done",
    ),
    (an_order(State.DONE, finished_at=NOW), [], "a report is expected in state done"),
    (an_order(State.FAILED, finished_at=NOW), [], "a reason is expected in state failed"),
]


@pytest.mark.parametrize(("order", "clocks"), SOUND)
def test_sound_work_orders_have_no_problems(order, clocks):
    assert problems_of(order, clocks) == []


@pytest.mark.parametrize(("order", "clocks", "problem"), UNSOUND)
def test_each_problem_is_named(order, clocks, problem):
    assert problems_of(order, clocks) == [problem]


async def test_a_wrongly_counted_load_is_found(depot):
    engineer_id = await depot.hire("li")
    await depot.create()
    async with depot.database.transaction("miscount") as tx:
        await tx.execute(update(ENGINEERS).values(open_work_orders=2))
    assert await depot.problems() == [f"the load of engineer {engineer_id} is counted wrongly"]

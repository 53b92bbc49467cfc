"""Dispatch's own database for its tests, and a crew to fill it with."""

import json
from datetime import UTC, timedelta
from uuid import UUID, uuid4

import pytest
from bihuan.dispatch.v1 import events_pb2
from dispatch.clocks import build_clocks
from dispatch.engineers import commands as engineers
from dispatch.engineers import rostering
from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.engineers.queries import Profile, get_engineer
from dispatch.facts import entity_facts
from dispatch.incidents.ladder import Ladder
from dispatch.policy import Policy
from dispatch.slots import store as reservations
from dispatch.slots.booking import book_reservation
from dispatch.slots.holding import Wish, find_slots, hold_slot
from dispatch.slots.reservation import Reservation
from dispatch.work_orders import commands, store
from dispatch.work_orders.assignment import Need
from dispatch.work_orders.commands import Attempt
from dispatch.work_orders.creation import cancel_work_order, create_work_order
from dispatch.work_orders.placement import Placement
from dispatch.work_orders.work_order import WorkOrder
from servicekit.clock import ManualClock
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.database.tables import outbox
from servicekit.deadlines.firing import Firing
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.moments import CHINA_TIME
from servicekit.sealing import Sealer
from servicekit.windows import Window
from sqlalchemy import select

from standards import load

DISPATCHER = Principal("dispatcher", frozenset({"dispatcher", "supervisor"}), "cn")
NO_ENGINEER = UUID(int=0)
# Use cases in which somebody writes something.
WRITTEN = {"assign_work_order", "reject_work_order", "complete_work_order", "fail_work_order"}


@pytest.fixture
def placement() -> Placement:
    return Placement(Policy.of(load()))


class Depot:
    """What tests do in dispatch, each in a transaction of its own as the service would."""

    def __init__(self, database: Database, clock: ManualClock, placement: Placement) -> None:
        self.database = database
        self.clock = clock
        self.placement = placement
        self.ladder = Ladder.of(load())
        self.capacity = placement.policy.capacity
        self.sealer = Sealer(b"d" * 32)

    async def hire(
        self, name: str, *, skill="broadband_repair", level="middle", territory="cn.gd", on_shift=True, days=30
    ):
        """An engineer with one qualification; returns their id."""
        qualification = Qualification(
            engineer_id=NO_ENGINEER, skill=skill, level=level, valid_until=self.clock.now() + timedelta(days=days)
        )
        async with self.database.transaction("hire") as tx:
            profile = await engineers.register_engineer(
                tx,
                display_name=f"No. {name}",
                user_id=name,
                territory=territory,
                qualifications=[qualification],
                key=CreationKey("", b""),
                principal=DISPATCHER,
                policy=self.placement.policy,
            )
        engineer_id = profile.engineer.engineer_id
        if on_shift:
            await self.set_shift(engineer_id, on_shift=True)
        return engineer_id

    async def set_shift(self, engineer_id: UUID, *, on_shift: bool, principal=DISPATCHER) -> None:
        async with self.database.transaction("set_shift") as tx:
            await engineers.set_shift(tx, engineer_id, on_shift=on_shift, principal=principal, placement=self.placement)

    async def grant(self, engineer_id: UUID, skill: str, level: str, days=30) -> None:
        granted = Qualification(
            engineer_id=engineer_id, skill=skill, level=level, valid_until=self.clock.now() + timedelta(days=days)
        )
        async with self.database.transaction("grant") as tx:
            await engineers.grant_qualification(
                tx, engineer_id, granted, principal=DISPATCHER, placement=self.placement
            )

    async def revoke(self, engineer_id: UUID, skill="broadband_repair") -> None:
        async with self.database.transaction("revoke") as tx:
            await engineers.revoke_qualification(
                tx, engineer_id, skill, reason="failed the audit", principal=DISPATCHER, placement=self.placement
            )

    def wanted(self, **facts) -> events_pb2.CreateWorkOrder:
        return events_pb2.CreateWorkOrder(
            **{
                "work_order_id": str(uuid4()),
                "case_id": str(uuid4()),
                "case_number": "2603-0000-0017",
                "region": "cn.gd.gz",
                "skill": "broadband_repair",
                "level": "junior",
                "priority": 3,
                **facts,
            }
        )

    async def create(self, wanted: events_pb2.CreateWorkOrder | None = None, **facts) -> str:
        """A work order; returns its id."""
        wanted = wanted or self.wanted(**facts)
        async with self.database.transaction("create") as tx:
            await create_work_order(tx, wanted, self.placement)
        return wanted.work_order_id

    async def cancel(self, work_order_id: str) -> None:
        wanted = events_pb2.CancelWorkOrder(work_order_id=work_order_id, reason="case_withdrawn")
        async with self.database.transaction("cancel") as tx:
            await cancel_work_order(tx, wanted, self.placement)

    async def do(self, use_case: str, work_order_id: str, principal=DISPATCHER, expected_version=0, **arguments):
        """One of the use cases of work_orders/commands.py, committed also when it returns a Fault."""
        attempt = Attempt(principal, work_order_id, expected_version)
        if use_case in WRITTEN:
            arguments["sealer"] = self.sealer
        async with self.database.transaction(use_case) as tx:
            return await getattr(commands, use_case)(tx, attempt, self.placement, **arguments)

    async def order(self, work_order_id: str) -> WorkOrder:
        async with self.database.transaction("order") as tx:
            return await store.find(tx, work_order_id)

    async def profile(self, engineer_id: UUID) -> Profile:
        async with self.database.transaction("profile") as tx:
            return await get_engineer(tx, engineer_id)

    async def engineer(self, engineer_id: UUID) -> Engineer:
        return (await self.profile(engineer_id)).engineer

    async def events(self, subject_part: str) -> list:
        """Bodies of the events in the outbox whose subject holds this, oldest first."""
        statement = select(outbox.c.body).where(outbox.c.subject.contains(subject_part)).order_by(outbox.c.id)
        async with self.database.transaction("events") as tx:
            return [body.decode() for body in (await tx.execute(statement)).scalars()]

    async def problems(self) -> list[str]:
        """What the loop check would find wrong."""
        async with self.database.transaction("facts") as tx:
            facts = await entity_facts(tx, "", 5000, ladder=self.ladder)
        return [problem for fact in facts for problem in fact.problems]

    async def refused(self, code: str, *args, **kwargs) -> None:
        """`do`, which must be refused with this code."""
        with pytest.raises(Fault) as refusal:
            await self.do(*args, **kwargs)
        assert refusal.value.code == code


@pytest.fixture
def depot(database: Database, manual_clock: ManualClock, placement: Placement) -> Depot:
    return Depot(database, manual_clock, placement)


class Planner:
    """What tests do with slots, each in a transaction of its own as the service would."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.database = depot.database
        self.policy = depot.placement.policy
        # The second slot of tomorrow: 11:00 in China.
        tomorrow = depot.clock.now().astimezone(CHINA_TIME) + timedelta(days=1)
        self.start = tomorrow.replace(hour=11, minute=0, second=0, microsecond=0).astimezone(UTC)
        self.next_start = self.start + timedelta(hours=2)

    async def hire(self, name: str, **facts) -> UUID:
        """An engineer who is at work all of tomorrow."""
        engineer_id = await self.depot.hire(name, on_shift=False, **facts)
        await self.plan_shift(engineer_id)
        return engineer_id

    async def plan_shift(self, engineer_id: UUID) -> UUID:
        shift = Window(self.start - timedelta(hours=2), self.start + timedelta(hours=7))
        async with self.database.transaction("plan_shift") as tx:
            profile = await rostering.plan_shift(tx, engineer_id, shift, key=CreationKey("", b""), principal=DISPATCHER)
        return profile.shifts[-1].shift_id

    async def cancel_shift(self, engineer_id: UUID) -> None:
        shift = (await self.depot.profile(engineer_id)).shifts[0]
        async with self.database.transaction("cancel_shift") as tx:
            await rostering.cancel_shift(
                tx, engineer_id, shift.shift_id, principal=DISPATCHER, placement=self.depot.placement
            )

    def wish(
        self, *, case_id: UUID | None = None, start=None, region="cn.gd.gz", skill="broadband_repair", key=""
    ) -> Wish:
        need = Need(region, skill, "junior")
        return Wish(case_id or uuid4(), need, start or self.start, CreationKey(key, b"wish"))

    async def hold(self, wish: Wish | None = None, *, principal=DISPATCHER, **facts) -> Reservation:
        wish = wish or self.wish(**facts)
        return await self.database.run("hold", lambda tx: hold_slot(tx, wish, principal, self.policy))

    async def free(self, skill="broadband_repair") -> int:
        """How many more can be held in the slot."""
        need = Need("cn.gd.gz", skill, "junior")
        async with self.database.transaction("free") as tx:
            found = await find_slots(tx, need, DISPATCHER, self.policy, not_before=self.start, limit=1)
        return next((remaining for window, remaining in found if window.start == self.start), 0)

    async def book(self, held: Reservation, **facts) -> events_pb2.BookReservation:
        """Books it for an appointment and a work order of its own; gives what was asked."""
        wanted = events_pb2.BookReservation(
            **{
                "reservation_id": str(held.reservation_id),
                "case_id": str(held.case_id),
                "appointment_id": str(uuid4()),
                "work_order_id": str(uuid4()),
                "case_number": "2603-0000-0017",
                "region": held.region,
                "skill": held.skill,
                "level": held.level,
                "priority": 3,
                **facts,
            }
        )
        async with self.database.transaction("book") as tx:
            await book_reservation(tx, wanted, self.depot.placement)
        return wanted

    async def reservation(self, held: Reservation) -> Reservation:
        async with self.database.transaction("look") as tx:
            return await reservations.find(tx, held.reservation_id)

    async def told(self, happened: str) -> list[dict]:
        """Bodies of the events of reservations of this kind."""
        return [json.loads(body) for body in await self.depot.events(f"dispatch.reservation.{happened}")]


@pytest.fixture
def planner(depot: Depot) -> Planner:
    return Planner(depot)


@pytest.fixture
def fire(depot: Depot):
    """Moves the clock on and fires what is due."""
    firing = Firing(depot.database, build_clocks(depot.placement, depot.ladder))

    async def advance(step: timedelta) -> None:
        depot.clock.advance(step)
        while await firing.fire_due():
            pass

    return advance

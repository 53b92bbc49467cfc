"""The appointments of one case as its tests tell their stories."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from bihuan.common.v1.common_pb2 import TimePeriod
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import appointments_pb2
from intake.appointments import commands, store
from intake.appointments.appointment import Appointment
from intake.appointments.facts import appointment_facts
from intake.cases.case import Case
from intake.cases.progress import describe
from intake.cases.queries import history_of
from intake.clocks import build_clocks
from servicekit.clock import ManualClock
from servicekit.deadlines.firing import Firing
from servicekit.identity import Principal

from servicekit import deadlines

ENGINEER = str(uuid4())
FACTS = {"channel": "hotline", "customer_checked": True, "content_checked": True}


class Diary:
    """The appointments of one case, and dispatch's part in them."""

    def __init__(self, office, case: Case, agent: Principal, clock: ManualClock) -> None:
        self.office = office
        self.case_id = str(case.case_id)
        self.agent = agent
        self.clock = clock
        self.start = clock.now() + timedelta(days=2)
        self._firing = Firing(office.database, build_clocks(office.desk))

    async def ask(self, name: str, **facts) -> Appointment:
        """One of the use cases about the newest appointment."""
        requests = {"prepare": "Prepare", "move": "Move", "cancel": "Cancel"}
        request = getattr(appointments_pb2, f"{requests[name]}AppointmentRequest")
        newest = await self.newest()
        use_case = getattr(commands, f"{name}_appointment")
        return await self.office.change(
            use_case, self.agent, request(appointment_id=str(newest.appointment_id), **facts)
        )

    async def book(self, **facts) -> Appointment:
        request = appointments_pb2.BookAppointmentRequest(
            **{"case": self.case_id, "reservation_id": str(uuid4()), **FACTS, **facts}
        )
        return await self.office.change(commands.book_appointment, self.agent, request)

    async def tell(
        self,
        kind,
        *,
        reservation: UUID | None = None,
        appointment: UUID | None = None,
        start: datetime | None = None,
        **facts,
    ) -> None:
        """Dispatch tells what became of a slot, by default of the newest appointment's."""
        newest = await self.newest()
        event = kind(
            reservation_id=str(reservation or newest.reservation_id),
            appointment_id=str(appointment or newest.appointment_id),
            case_id=self.case_id,
            **facts,
        )
        if kind is dispatch_events.ReservationBooked:
            event.work_order_id, event.work_order_version = str(newest.work_order_id), 2
            event.valid_for.CopyFrom(self.period(start or self.start))
        await self.office.tell(event)

    async def booked(self) -> Appointment:
        await self.book()
        await self.tell(dispatch_events.ReservationBooked)
        return await self.newest()

    async def fire(self, step: timedelta) -> None:
        self.clock.advance(step)
        while await self._firing.fire_due():
            pass

    async def newest(self) -> Appointment:
        async with self.office.database.transaction("newest") as tx:
            return (await store.of_case(tx, UUID(self.case_id)))[0]

    async def case(self) -> Case:
        return await self.office.case(UUID(self.case_id))

    async def promise(self) -> str:
        """What the customer is promised now."""
        case = await self.case()
        async with self.office.database.transaction("progress") as tx:
            clocks = (await deadlines.of(tx, [self.case_id]))[self.case_id]
            history = await history_of(tx, case)
        return describe(case, clocks, history, "en", self.office.desk.standards).promise_text

    async def contacts(self) -> list[str]:
        """Every contact with the customer, newest last."""
        return await self.office.contacts(await self.case())

    async def problems(self) -> list[str]:
        async with self.office.database.transaction("facts") as tx:
            facts = await appointment_facts(tx, UUID(int=0), 100)
        found = [problem for fact in facts for problem in fact.problems]
        return found + await self.office.problems(await self.case())

    @staticmethod
    def period(start: datetime) -> TimePeriod:
        return TimePeriod(start_date_time=start, end_date_time=start + timedelta(hours=2))

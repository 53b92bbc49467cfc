"""The partners service's own database for its tests, and what tests do with it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from bihuan.dispatch.v1 import events_pb2 as dispatch
from bihuan.intake.v1 import events_pb2 as intake
from partners.clocks import build_clocks
from partners.facts import entity_facts
from partners.policy import Policy
from partners.reactions import build_reactions
from partners.registry import commands, queries
from partners.registry.partner import Scope
from partners.webhooks import deliveries, endpoints
from partners.webhooks import queries as webhook_queries
from partners.webhooks.addresses import Destinations
from partners.webhooks.courier import Courier
from partners.webhooks.sending import Outcome
from servicekit.clock import ManualClock
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.database.tables import outbox
from servicekit.deadlines.firing import Firing
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.messaging import Received
from servicekit.sealing import Sealer
from sqlalchemy import select

from standards import load

ADMINISTRATOR = Principal("administrator", frozenset({"administrator"}), "cn")
PARTNER = "partner-demo"
SELF = Principal(PARTNER, frozenset({"partner"}), "cn")
EVERYTHING = ("*.*.*",)


class Receivers:
    """Stands for the Internet: answers every request with the next status told, and remembers what was sent."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.sent: list[tuple[str, dict[str, str], bytes]] = []

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        self.sent.append((url, dict(headers), body))
        status = self.statuses.pop(0) if self.statuses else 204
        return Outcome(status, "" if status in range(200, 300) else "status", 5)

    async def close(self) -> None:
        """Nothing is open."""


class Desk:
    """What tests do with partners, each in a transaction of its own as the service would."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        pauses = (timedelta(seconds=5), timedelta(minutes=5))
        self.policy = replace(Policy.of(load()), retry_pauses=pauses)
        self.sealer = Sealer(bytes(range(32)))
        self.receivers = Receivers()
        self.courier = self.new_courier()

    def new_courier(self) -> Courier:
        """As after a restart."""
        return Courier(self.database, self.policy, self.sealer, self.receivers)  # type: ignore[arg-type]

    async def do(self, use_case, *arguments, **keywords):
        async with self.database.transaction("do") as tx:
            return await use_case(tx, *arguments, **keywords)

    async def refused(self, code: str, use_case, *arguments, **keywords) -> Fault:
        with pytest.raises(Fault) as refusal:
            await self.do(use_case, *arguments, **keywords)
        assert refusal.value.code == code
        return refusal.value

    def scope(self, *event_types: str, domain="cn", days=365) -> Scope:
        kinds = list(event_types or EVERYTHING)
        return Scope(event_types=kinds, domain=domain, valid_until=self.clock.now() + timedelta(days=days))

    async def register(self, *event_types: str, partner=PARTNER, **scope):
        return await self.do(
            commands.register_partner,
            partner,
            "Demo",
            self.scope(*event_types, **scope),
            principal=ADMINISTRATOR,
            policy=self.policy,
        )

    async def partner(self, name=PARTNER):
        return await self.do(queries.find_partner, name)

    async def endpoint(self, *event_types: str, partner=PARTNER, url="https://partner.example/hook", key=""):
        return await self.do(
            endpoints.create_endpoint,
            partner,
            url,
            list(event_types),
            wanted=CreationKey(key, b""),
            principal=ADMINISTRATOR,
            sealer=self.sealer,
        )

    async def hear(self, event, event_id=None, deliveries_=1) -> None:
        """An event of another service comes, as the consumer would bring it."""
        reaction = build_reactions(lambda: None).find(event.DESCRIPTOR.full_name)
        assert reaction is not None
        received = Received(
            event_id=event_id or uuid4(),
            subject=reaction.filter.replace("*", "intake"),
            entity_version=1,
            case_id=getattr(event, "case_id", ""),
            occurred_at=self.clock.now(),
            deliveries=deliveries_,
        )
        await self.do(reaction.handle, event, received)

    async def open_case(self, region="cn.gd.gz.tianhe", **facts) -> str:
        case_id = str(uuid4())
        usual = {"case_number": "2611-0042-7315", "customer_id": str(uuid4()), "channel": "app", "owner": "agent"}
        await self.hear(intake.CaseOpened(case_id=case_id, region=region, **{**usual, **facts}))
        return case_id

    async def create_work_order(self, case_id: str, **received) -> None:
        await self.hear(
            dispatch.WorkOrderAssigned(work_order_id=str(uuid4()), case_id=case_id, engineer_name="王工"), **received
        )

    async def feed(self, partner=PARTNER):
        """Rows of the outbox for a partner, oldest first."""
        subject = outbox.c.subject.startswith(f"bihuan.feed.{partner}.")
        async with self.database.transaction("feed") as tx:
            return (await tx.execute(select(outbox).where(subject).order_by(outbox.c.id))).all()

    async def events(self, part: str) -> list[str]:
        statement = select(outbox.c.body).where(outbox.c.subject.contains(part)).order_by(outbox.c.id)
        async with self.database.transaction("events") as tx:
            return [body.decode() for body in (await tx.execute(statement)).scalars()]

    async def carry(self) -> None:
        """Sends what is due until nothing is."""
        while True:
            while self.courier._tasks:
                await next(iter(self.courier._tasks))
            if not await self.courier.take_due():
                return

    async def deliveries(self, partner=PARTNER):
        return await self.do(webhook_queries.list_deliveries, partner, state=None, before=None, limit=100)

    async def redeliver(self, delivery_id, principal=SELF):
        return await self.do(deliveries.redeliver, PARTNER, delivery_id, principal=principal)

    async def pass_time(self, time: timedelta) -> None:
        self.clock.advance(time)
        firing = Firing(self.database, build_clocks(lambda: None))
        while await firing.fire_due():
            pass

    async def problems(self) -> list[str]:
        """What the loop check is told to be wrong, page by page."""
        found, after = [], ""
        while page := await self.do(entity_facts, after, 2):
            found += [problem for fact in page for problem in fact.problems]
            after = page[-1].entity_id
        return found


@pytest.fixture
def desk(database: Database, manual_clock: ManualClock) -> Desk:
    return Desk(database, manual_clock)


@pytest.fixture
def destinations() -> Destinations:
    return Destinations()

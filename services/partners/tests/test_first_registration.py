"""While nobody is a partner nothing is heard; nothing that follows the first registration is missed (GWY-05)."""

from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

from bihuan.dispatch.v1.events_pb2 import WorkOrderAssigned
from bihuan.intake.v1.events_pb2 import CaseOpened
from google.protobuf.message import Message
from nats.js.errors import NotFoundError
from partners.feed import provisioning
from partners.feed.provisioning import FeedProvisioner
from partners.reactions import build_reactions
from partners.registry import commands
from servicekit.database.outgoing import OutgoingMessage
from servicekit.database.tables import inbox
from servicekit.identity import Principal
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.streams import EVENTS
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running
from sqlalchemy import func, select

PARTNER = "partner-demo"
SELF = Principal(PARTNER, frozenset({"partner"}), "cn")
REGION = "cn.gd.gz.tianhe"


class Elsewhere:
    """Other services, whose events come over the real bus."""

    def __init__(self, nats_server, clock) -> None:
        self._server = nats_server
        self._clock = clock

    async def happens(self, service: str, *events: Message) -> None:
        async with connect(self._server, service) as bus:
            connection = await bus.connected()
            for event in events:
                row = OutgoingMessage.of(event, service=service, version=1, case_id="", traceparent="")
                kind, now = event.DESCRIPTOR.full_name, self._clock.now()
                envelope = Envelope(row.event_id, kind, service, row.entity_id, 1, row.case_id, now)
                sent = await connection.publish(row.subject, row.body, envelope.headers())
                await connection.acknowledged(sent)


async def test_the_first_partner_is_told_all_that_follows_and_nothing_from_before(
    desk, bus, operator, nats_server, monkeypatch
) -> None:
    # It must not find the partner by itself before it is woken.
    monkeypatch.setattr(provisioning, "_INTERVAL_SECONDS", 3600)
    elsewhere = Elsewhere(nats_server, desk.clock)
    earlier = [str(uuid4()) for _ in range(300)]
    await elsewhere.happens("intake", *(CaseOpened(case_id=case_id, region=REGION) for case_id in earlier))
    reactions = build_reactions(desk.courier.wake)
    provisioner = FeedProvisioner(desk.database, bus, None, reactions)
    consumer = Consumer(desk.database, bus, reactions, together=True)

    async def left_on_the_stream() -> int:
        try:
            return (await operator.consumer_info(EVENTS, "partners")).num_pending
        except NotFoundError:
            return 0

    async def all_is_left() -> bool:
        return await left_on_the_stream() == len(earlier)

    async def heard() -> int:
        return await desk.do(lambda tx: tx.scalar(select(func.count()).select_from(inbox)))

    async with running(provisioner.run()), AsyncExitStack() as stack:
        await eventually(lambda: reactions.is_resting)
        await stack.enter_async_context(running(consumer.run()))
        await eventually(all_is_left)
        desk.clock.advance(timedelta(hours=1))
        await desk.register(domain="cn.gd")
        # Of a case from before, whose region is known all the same; and before the service has heard of the partner.
        await elsewhere.happens("dispatch", WorkOrderAssigned(work_order_id="w1", case_id=earlier[0]))
        assert await heard() == 0
        provisioner.wake()
        await elsewhere.happens("dispatch", WorkOrderAssigned(work_order_id="w2", case_id=earlier[-1]))

        async def told_of_both() -> bool:
            # Their order is that of their cases, which nobody promises.
            return sorted(row.entity_id for row in await desk.feed()) == ["w1", "w2"]

        async def heard_all() -> bool:
            return await heard() == len(earlier) + 2

        await eventually(told_of_both)
        await eventually(heard_all)

        await desk.do(commands.suspend_partner, PARTNER, expected_version=0, principal=SELF)
        provisioner.wake()
        await elsewhere.happens("dispatch", WorkOrderAssigned(work_order_id="w3", case_id=earlier[0]))

        async def heard_meanwhile() -> bool:
            return await heard() == len(earlier) + 3

        await eventually(heard_meanwhile)
        await desk.do(commands.end_partner, PARTNER, reason="over", expected_version=0, principal=SELF)
        provisioner.wake()
        await eventually(lambda: reactions.is_resting)
    assert sorted(row.entity_id for row in await desk.feed()) == ["w1", "w2"]

"""Commands from the real bus take effect once (DSP-03)."""

from uuid import uuid4

import pytest
from bihuan.dispatch.v1 import events_pb2
from dispatch.reactions import build_reactions
from dispatch.work_orders.work_order import State
from nats.js.errors import NotFoundError
from servicekit.database.outgoing import OutgoingMessage
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.retries import RetryPolicy
from servicekit.messaging.streams import COMMANDS
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running

HASTY = RetryPolicy(attempt_pauses=(0.01,), wait_pauses=(0.01,), trouble_pauses=(0.01,))


@pytest.fixture
async def ask(nats_server, bus, manual_clock):
    """Publishes a command as intake, under as many message ids as it is to arrive."""
    async with connect(nats_server, "intake") as intake:

        async def publish(command, copies=1):
            row = OutgoingMessage.of(command, service="intake", version=0, case_id=command.case_id, traceparent="")
            kind = command.DESCRIPTOR.full_name
            envelope = Envelope(row.event_id, kind, "intake", row.entity_id, 0, row.case_id, manual_clock.now())
            connection = await intake.connected()
            for copy in range(copies):
                headers = envelope.headers() | {"Nats-Msg-Id": f"{row.event_id}-{copy}"}
                await connection.acknowledged(await connection.publish(row.subject, row.body, headers))

        yield publish


@pytest.fixture
def handled(operator):
    """Everything that was asked is acknowledged."""

    async def nothing_pending():
        try:
            info = await operator.consumer_info(COMMANDS, "dispatch")
        except NotFoundError:
            return False  # the consumer is just starting
        return info.num_pending == 0 and info.num_ack_pending == 0

    return nothing_pending


async def test_delivered_three_times_there_is_one_work_order(depot, bus, ask, handled):
    await depot.hire("li")
    wanted = depot.wanted()
    await ask(wanted, copies=3)
    consumer = Consumer(depot.database, bus, build_reactions(depot.placement, depot.ladder), policy=HASTY)
    async with running(consumer.run()):
        await eventually(handled)
    assert (await depot.order(wanted.work_order_id)).state == State.ASSIGNED
    assert len(await depot.events("work_order.created")) == 1


async def test_a_cancellation_that_comes_first_waits_for_its_work_order(depot, bus, ask, handled):
    await depot.hire("li")
    wanted = depot.wanted()
    cancel = events_pb2.CancelWorkOrder(work_order_id=wanted.work_order_id, case_id=str(uuid4()), reason="withdrawn")
    await ask(cancel)
    await ask(wanted)
    consumer = Consumer(depot.database, bus, build_reactions(depot.placement, depot.ladder), policy=HASTY)
    async with running(consumer.run()):
        await eventually(handled)
    assert (await depot.order(wanted.work_order_id)).state == State.CANCELLED
    assert await depot.problems() == []

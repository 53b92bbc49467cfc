"""What comes over the real bus is in the figures once, within a moment (QLT-02)."""

from happenings import a_case
from quality.reactions import build_reactions
from servicekit.database.outgoing import OutgoingMessage
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.envelope import Envelope
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running


async def test_events_delivered_three_times_and_backwards_count_once(world, bus, nats_server):
    async with connect(nats_server, "intake") as intake:
        connection = await intake.connected()
        for version, event in enumerate(reversed(a_case(5)), start=1):
            row = OutgoingMessage.of(event, service="intake", version=version, case_id="", traceparent="")
            kind = event.DESCRIPTOR.full_name
            now = world.clock.now()
            envelope = Envelope(row.event_id, kind, "intake", row.entity_id, version, row.case_id, now)
            for copy in range(3):
                headers = envelope.headers() | {"Nats-Msg-Id": f"{row.event_id}-{copy}"}
                await connection.acknowledged(await connection.publish(row.subject, row.body, headers))

    async def rated() -> bool:
        samples = {each.indicator: each.sample for each in await world.figures("satisfaction", "handling_accuracy")}
        return samples == {"satisfaction": 1, "handling_accuracy": 1}

    consumer = Consumer(world.database, bus, build_reactions(world.reader, world.refresher), together=True)
    async with running(consumer.run(), world.refresher.run()):
        await eventually(rated)

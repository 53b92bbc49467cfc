"""A closing that comes from the real bus is filed once (REC-01, REC-02)."""

from nats.js.errors import NotFoundError
from records.files.tables import RECORDS, VERSIONS
from records.reactions import build_reactions
from servicekit.database.outgoing import OutgoingMessage
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.streams import EVENTS
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running
from sqlalchemy import func, select

from standards import load


async def test_delivered_three_times_there_is_one_record_version(database, bus, nats_server, operator, a_closed_case):
    closed = a_closed_case()
    row = OutgoingMessage.of(closed, service="intake", version=9, case_id="", traceparent="")
    kind = closed.DESCRIPTOR.full_name
    envelope = Envelope(
        row.event_id, kind, "intake", row.entity_id, 9, row.case_id, closed.snapshot.closed_at.ToDatetime()
    )
    async with connect(nats_server, "intake") as intake:
        connection = await intake.connected()
        for copy in range(3):
            headers = envelope.headers() | {"Nats-Msg-Id": f"{row.event_id}-{copy}"}
            await connection.acknowledged(await connection.publish(row.subject, row.body, headers))

    async def handled():
        try:
            info = await operator.consumer_info(EVENTS, "records")
        except NotFoundError:
            return False  # the consumer is just starting
        return info.num_pending == 0 and info.num_ack_pending == 0

    async with running(Consumer(database, bus, build_reactions(load()), together=True).run()):
        await eventually(handled)
    async with database.transaction("count") as tx:
        counts = [await tx.scalar(select(func.count()).select_from(table)) for table in (RECORDS, VERSIONS)]
    assert counts == [1, 1]

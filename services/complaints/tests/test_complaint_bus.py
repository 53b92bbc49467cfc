"""What comes from the real bus takes effect once: a case handed over, dispatch's outcome, an erasure, the record."""

import pytest
from bihuan.dispatch.v1 import events_pb2 as dispatch_events
from bihuan.intake.v1 import events_pb2 as intake_events
from bihuan.records.v1 import events_pb2 as records_events
from complaints.complaints import handling
from complaints.reactions import build_reactions
from nats.js.errors import NotFoundError
from servicekit.database.outgoing import OutgoingMessage
from servicekit.ids import uuid7
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.envelope import Envelope
from servicekit.messaging.streams import EVENTS
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running


@pytest.fixture
async def tell(nats_server, bus, manual_clock):
    """Publishes an event as another service, twice under different message ids."""

    async def publish(service, event):
        async with connect(nats_server, service) as there:
            row = OutgoingMessage.of(event, service=service, version=2, case_id="", traceparent="")
            kind = event.DESCRIPTOR.full_name
            envelope = Envelope(row.event_id, kind, service, row.entity_id, 2, row.case_id, manual_clock.now())
            connection = await there.connected()
            for copy in range(2):
                headers = envelope.headers() | {"Nats-Msg-Id": f"{row.event_id}-{copy}"}
                await connection.acknowledged(await connection.publish(row.subject, row.body, headers))

    return publish


@pytest.fixture
def handled(operator):
    """Everything that was told is acknowledged."""

    async def nothing_pending():
        try:
            info = await operator.consumer_info(EVENTS, "complaints")
        except NotFoundError:
            return False  # the consumer is just starting
        return info.num_pending == 0 and info.num_ack_pending == 0

    return nothing_pending


async def test_cmp_04_the_outcome_of_an_investigation_arrives_by_itself(office, bus, tell, handled):
    complaint = await office.handling()
    await office.do(handling.request_investigation, complaint)
    await office.refused("investigation_open", handling.request_investigation, complaint)
    (asked,) = (await office.shown(complaint)).investigations
    ids = {"work_order_id": asked.work_order_id, "case_id": str(complaint.complaint_id)}
    done = dispatch_events.WorkOrderCompleted(**ids, asked_by="complaints")
    done.report.found, done.report.done = "接头进水", "重新熔接"
    await tell("dispatch", done)
    # Of a case, and so none of ours.
    await tell("dispatch", dispatch_events.WorkOrderFailed(work_order_id=str(uuid7()), case_id=str(uuid7())))
    async with running(Consumer(office.database, bus, build_reactions(office.desk)).run()):
        await eventually(handled)
    (investigation,) = (await office.shown(complaint)).investigations
    assert investigation.findings == "接头进水\n重新熔接"
    assert len(await office.sent("investigation.ended")) == 1


async def test_rec_01_and_rec_06_the_record_and_the_erasure(office, bus, tell, handled):
    complaint = await office.closed()
    record = {"record_id": str(uuid7()), "case_id": str(complaint.complaint_id), "version": 1}
    await tell("records", records_events.RecordFiled(**record, record_class="complaint"))
    await tell("records", records_events.RecordFiled(**record | {"case_id": str(uuid7())}, record_class="service_case"))
    await tell("intake", intake_events.CustomerErased(customer_id=str(complaint.customer_id)))
    async with running(Consumer(office.database, bus, build_reactions(office.desk)).run()):
        await eventually(handled)
    shown = await office.shown(complaint)
    assert (shown.record_id, shown.subject) == (record["record_id"], "")
    assert await office.problems() == []

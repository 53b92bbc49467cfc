"""Requests for messages, beside what the consumers' own tests show of them."""

from uuid import uuid4

import pytest
from bihuan.intake.v1.events_pb2 import CaseOpened
from nats.js import JetStreamContext
from servicekit.database import Database
from servicekit.messaging import Bus
from servicekit.messaging.pull import Durable, Pull
from servicekit.messaging.relay import Relay
from servicekit.messaging.streams import EVENTS
from servicekit.messaging.trouble import BusAwayError
from servicekit.testing.waiting import eventually, running


async def test_nothing_is_asked_for_on_a_connection_that_was_lost(
    database: Database, bus: Bus, operator: JetStreamContext
):
    """What came of it would lie unacknowledged, and come again behind what is newer."""
    connection = await bus.connected()
    taken: list[str] = []
    durable = Durable(EVENTS, "intake", ["bihuan.intake.case.opened.v1"], 100)
    pull = Pull(connection, durable, lambda message: taken.append(message.subject))
    await pull.open()
    async with running(Relay(database, bus).run()):
        async with database.transaction("open") as tx:
            tx.emit(CaseOpened(case_id=str(uuid4()), channel="app"), version=1)

        async def is_stored() -> bool:
            return (await operator.consumer_info(EVENTS, "intake")).num_pending == 1

        await eventually(is_stored)
    connection.lost.set()
    with pytest.raises(BusAwayError):
        await pull.request(10)
    await connection.client.flush()
    info = await operator.consumer_info(EVENTS, "intake")
    assert (info.num_pending, info.num_ack_pending, taken) == (1, 0, [])

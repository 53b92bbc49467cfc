"""NATS for tests: one embedded server for the run, empty streams for each test that asks."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from nats.js import JetStreamContext

from servicekit.embedded.nats import EmbeddedNats
from servicekit.messaging import users
from servicekit.messaging.bus import Bus
from servicekit.messaging.streams import OPERATOR, provision

# Users of the test server; every service and the gateway.
SERVICES = (*users.SERVICES, users.GATEWAY)


@pytest.fixture(scope="session")
def nats_server() -> Iterator[EmbeddedNats]:
    """A running server without durability, shared by the whole run; its streams are made by `operator`."""
    home = Path(tempfile.mkdtemp(prefix="bihuan-test-nats-"))
    server = EmbeddedNats(home, SERVICES, durable=False)
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())
    shutil.rmtree(home)


@pytest_asyncio.fixture
async def operator(nats_server: EmbeddedNats) -> AsyncIterator[JetStreamContext]:
    """The operator's JetStream on the shared server, with all streams there and empty; their numbering goes on."""
    async with connect(nats_server, OPERATOR) as bus:
        jetstream = (await bus.connected()).jetstream
        await _empty(jetstream)
        await provision(jetstream)
        yield jetstream


@pytest_asyncio.fixture
async def bus(
    nats_server: EmbeddedNats,
    operator: JetStreamContext,  # noqa: ARG001 - first the streams are made
    service_name: str,
) -> AsyncIterator[Bus]:
    """The place of the test's service on the bus, with all streams empty."""
    async with connect(nats_server, service_name) as bus:
        yield bus


def connect(server: EmbeddedNats, user: str) -> Bus:
    """A bus of `user` on an embedded server, to be entered with `async with`."""
    return Bus(server.url, service=user, user=user, password=server.password(user))


async def _empty(jetstream: JetStreamContext) -> None:
    """Takes away what earlier tests have left.

    Never the streams themselves: the server removes the files of a deleted stream some time after it has said so, and
    one that is made again under the same name meanwhile fails, or finds old messages.
    """
    for stream in await jetstream.streams_info():
        name = stream.config.name
        assert name is not None
        if stream.state.consumer_count:
            for consumer in await jetstream.consumers_info(name):
                await jetstream.delete_consumer(name, consumer.name)
        if stream.state.messages:
            await jetstream.purge_stream(name)

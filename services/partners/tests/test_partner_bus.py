"""What a partner may do on the real bus: read and acknowledge its own feed, and nothing else (GWY-05)."""

import asyncio
import json
import os
import runpy
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from partners.feed.provisioning import bus_accounts, consumer_config
from partners.registry.commands import register_partner
from partners.registry.passwords import new_password
from servicekit.identity import Principal
from servicekit.messaging.feeds import FEEDS, feed_subject, partner_accounts
from servicekit.testing.waiting import eventually

OURS, OTHER = "partner-ours", "partner-other"
EVENT = "bihuan.intake.case.opened.v1"
# What partners begin from: a script, not a package.
READER = runpy.run_path(str(Path(__file__).parents[3] / "examples/partner/read_feed.py"))


@pytest.fixture
async def passwords(nats_server, operator) -> AsyncIterator[dict[str, str]]:
    """Two partners who are let in by a server that is not restarted, each with a consumer and one event in its feed."""
    new = {partner: new_password() for partner in (OURS, OTHER)}
    accounts = partner_accounts({partner: password.hashed for partner, password in new.items()})
    nats_server.partner_accounts.write_text(json.dumps(accounts))
    before = nats_server.pid
    await nats_server.reload()
    for partner in new:
        await operator.add_consumer(FEEDS, consumer_config(partner))
        await operator.publish(feed_subject(partner, EVENT), b"{}", headers={"ce-id": partner})
    assert nats_server.pid == before
    yield {partner: password.text for partner, password in new.items()}
    nats_server.partner_accounts.unlink()
    await nats_server.reload()


@asynccontextmanager
async def signed_in(server, partner: str, password: str, refusals: list[str]) -> AsyncIterator[Client]:
    async def note(error: Exception) -> None:
        refusals.append(str(error))

    client = await nats.connect(server.url, user=partner, password=password, error_cb=note, allow_reconnect=False)
    try:
        yield client
    finally:
        await client.close()


async def fetch(client: Client, partner: str, count: int = 1):
    feed = await client.jetstream().pull_subscribe_bind(durable=partner, stream=FEEDS)
    return await feed.fetch(count, timeout=60)


async def test_a_partner_reads_and_acknowledges_its_own_feed(nats_server, operator, passwords) -> None:
    async with signed_in(nats_server, OURS, passwords[OURS], []) as client:
        (message,) = await fetch(client, OURS)
        assert (message.subject, message.headers["ce-id"]) == (feed_subject(OURS, EVENT), OURS)
        await message.ack_sync()
    info = await operator.consumer_info(FEEDS, OURS)
    assert (info.num_ack_pending, info.num_pending) == (0, 0)


async def test_the_example_tells_what_waits_and_ends_when_the_bus_says_that_nothing_does(
    nats_server, operator, passwords, capsys
) -> None:
    for number in range(3):
        await operator.publish(feed_subject(OURS, EVENT), b"{}", headers={"ce-id": str(number)})
    read_feed = READER["read_feed"]
    await read_feed(nats_server.url, OURS, passwords[OURS], until_empty=True)
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [OURS, "0", "1", "2"]
    await read_feed(nats_server.url, OURS, passwords[OURS], until_empty=True)
    assert capsys.readouterr().out == ""
    info = await operator.consumer_info(FEEDS, OURS)
    assert (info.num_ack_pending, info.num_pending) == (0, 0)


async def test_the_example_does_not_take_a_silent_bus_for_an_empty_feed(nats_server, passwords) -> None:
    """As on a busy machine: the server is stopped for longer than an empty feed takes to be told."""
    async with signed_in(nats_server, OURS, passwords[OURS], []) as client:
        os.kill(nats_server.pid, signal.SIGSTOP)
        # Until all of it is stopped, some of its threads go on.
        await asyncio.to_thread(os.waitid, os.P_PID, nats_server.pid, os.WSTOPPED)
        try:
            asked = asyncio.create_task(READER["next_event"](client, OURS, linger=False))
            assert await asyncio.wait([asked], timeout=READER["LINGER_SECONDS"]) == (set(), {asked})
        finally:
            os.kill(nats_server.pid, signal.SIGCONT)
        message = await asked
        assert message.headers["ce-id"] == OURS


@pytest.mark.parametrize("wrong", ["password", "name"])
async def test_the_example_ends_with_the_reason_when_it_is_not_let_in(nats_server, passwords, capsys, wrong) -> None:
    partner, password = (OURS, "wrong") if wrong == "password" else ("partner-nobody", passwords[OURS])
    with pytest.raises(RuntimeError, match=f"the feed of {partner} can't be read: nats: "):
        await READER["read_feed"](nats_server.url, partner, password, until_empty=True)
    assert "Error: nats: " in capsys.readouterr().err


async def test_the_example_does_not_wait_for_a_feed_that_was_ended(nats_server, operator, passwords, capsys) -> None:
    reading = asyncio.create_task(READER["read_feed"](nats_server.url, OURS, passwords[OURS], until_empty=False))

    async def is_waiting() -> bool:
        info = await operator.consumer_info(FEEDS, OURS)
        return (info.num_ack_pending, info.num_pending, info.num_waiting) == (0, 0, 1)

    await eventually(is_waiting)
    await operator.delete_consumer(FEEDS, OURS)
    with pytest.raises(RuntimeError, match="the bus refuses to give events: 409 Consumer Deleted"):
        await reading
    assert json.loads(capsys.readouterr().out)["id"] == OURS


async def test_the_example_waits_for_a_bus_that_shuts_down(nats_server, operator) -> None:
    """The server's own words are sent by a stand-in, so that the server of all tests goes on."""

    async def shut_down(message: Msg) -> None:
        await operator._nc.publish(message.reply, headers={"Status": "409", "Description": "Server Shutdown"})

    stand_in = await operator._nc.subscribe(f"{READER['NEXT']}.stand-in", cb=shut_down)
    with pytest.raises(nats.errors.Error, match="Server Shutdown"):
        await READER["next_event"](operator._nc, "stand-in", linger=False)
    await stand_in.unsubscribe()


async def test_what_was_not_acknowledged_comes_again_after_a_new_sign_in(nats_server, passwords) -> None:
    async with signed_in(nats_server, OURS, passwords[OURS], []) as client:
        (message,) = await fetch(client, OURS)
        await message.nak()
    async with signed_in(nats_server, OURS, passwords[OURS], []) as client:
        (again,) = await fetch(client, OURS)
        assert again.headers["ce-id"] == OURS


# What a partner might try, and must not.
FORBIDDEN = (
    f"$JS.API.CONSUMER.MSG.NEXT.{FEEDS}.{OTHER}",
    f"$JS.ACK.{FEEDS}.{OTHER}.1.1.1.1.1",
    f"$JS.API.CONSUMER.CREATE.{FEEDS}.{OURS}",
    f"$JS.API.CONSUMER.CREATE.{FEEDS}.spy.bihuan.feed.>",
    f"$JS.API.CONSUMER.DELETE.{FEEDS}.{OTHER}",
    "$JS.API.CONSUMER.CREATE.BIHUAN_EVENTS.spy",
    "$JS.API.CONSUMER.MSG.NEXT.BIHUAN_EVENTS.intake",
    "$JS.API.DIRECT.GET.BIHUAN_EVENTS",
    f"$JS.API.STREAM.MSG.GET.{FEEDS}",
    f"$JS.API.STREAM.PURGE.{FEEDS}",
    EVENT,
    feed_subject(OURS, EVENT),
    feed_subject(OTHER, EVENT),
    "bihuan.intake.commands.redeliver",
)


async def test_everything_else_is_refused_by_the_server(nats_server, operator, passwords) -> None:
    refusals: list[str] = []
    async with signed_in(nats_server, OURS, passwords[OURS], refusals) as client:
        for subject in FORBIDDEN:
            await client.publish(subject, b"{}", reply="_INBOX.answer")
            # The server tells of a refusal before it answers this.
            await client.flush()

        async def told_of_all() -> bool:
            # The client's own task hands the last one over.
            return len(refusals) >= len(FORBIDDEN)

        await eventually(told_of_all)
    refused = [subject for subject in FORBIDDEN if any(f'"{subject.lower()}"' in refusal for refusal in refusals)]
    assert refused == list(FORBIDDEN)
    assert (await operator.stream_info("BIHUAN_EVENTS")).state.messages == 0


async def test_nothing_can_be_listened_to(nats_server, operator, passwords) -> None:
    heard: list[str] = []
    refusals: list[str] = []
    wanted = ("bihuan.>", "$JS.>", ">", f"_INBOX_{OTHER}.>")

    async def hear(message: Msg) -> None:
        heard.append(message.subject)

    async with signed_in(nats_server, OURS, passwords[OURS], refusals) as client:
        for subject in wanted:
            await client.subscribe(subject, cb=hear)
            await client.flush()
        await operator.publish(feed_subject(OTHER, EVENT), b"{}")
        await client.flush()
        # The client's own task hands the last one over.
        await eventually(lambda: len(refusals) == len(wanted))
    assert heard == []


async def test_the_answer_to_a_request_cannot_be_sent_into_the_event_stream(nats_server, operator, passwords) -> None:
    """Inside one account the server would publish the partner's own event wherever it is told to answer."""
    async with signed_in(nats_server, OURS, passwords[OURS], []) as client:
        for answer_to in (EVENT, feed_subject(OTHER, EVENT)):
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{FEEDS}.{OURS}", b'{"batch":1}', reply=answer_to)
        await client.flush()
        assert len(await fetch(client, OURS)) == 1  # by then both have been dealt with
    async with signed_in(nats_server, OTHER, passwords[OTHER], []) as other:
        assert [message.headers["ce-id"] for message in await fetch(other, OTHER)] == [OTHER]
    assert (await operator.stream_info("BIHUAN_EVENTS")).state.messages == 0
    # The two that were asked for above: nothing has come on anybody's subjects.
    assert (await operator.stream_info(FEEDS)).state.messages == len(passwords)


async def test_a_partner_that_has_gone_is_disconnected_and_others_stay(nats_server, operator, passwords) -> None:
    gone = asyncio.Event()

    async def closed() -> None:
        gone.set()

    async with signed_in(nats_server, OURS, passwords[OURS], []) as ours:
        other = await nats.connect(
            nats_server.url, user=OTHER, password=passwords[OTHER], allow_reconnect=False, closed_cb=closed
        )
        accounts = json.loads(nats_server.partner_accounts.read_text())
        del accounts[f"PARTNER_{OTHER}"]
        nats_server.partner_accounts.write_text(json.dumps(accounts))
        await nats_server.reload()
        await gone.wait()
        assert ours.is_connected
        assert other.is_closed
        assert len(await fetch(ours, OURS)) == 1


async def test_a_partner_with_the_name_of_a_service_never_reaches_the_bus(desk, nats_server, operator) -> None:
    """The server refuses two users of one name, and with them its whole configuration."""
    own = json.loads(nats_server.partner_accounts.with_name("passwords.json").read_text())
    for user in own:
        await desk.refused("partner_name_reserved", desk_register, desk, user)
    taken = [(await desk.register(partner=OURS))[0].model_copy(update={"partner": user}) for user in own]
    assert json.loads(bus_accounts(taken)) == {}
    nats_server.partner_accounts.write_text(bus_accounts(taken))
    await nats_server.reload()
    assert await nats_server.is_healthy()
    nats_server.partner_accounts.unlink()
    await nats_server.reload()


async def desk_register(tx, desk, partner):
    return await register_partner(
        tx, partner, "Demo", desk.scope(), principal=Principal.system("test"), policy=desk.policy
    )

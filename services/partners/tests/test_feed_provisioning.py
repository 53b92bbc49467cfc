"""The bus is kept in step with the partners, with no more rights there than the service has (GWY-05)."""

import json

import nats.js.errors
import pytest
from partners.feed.provisioning import FeedProvisioner
from partners.registry import commands
from servicekit.identity import Principal
from servicekit.messaging.feeds import FEED_SUBJECTS, FEEDS
from servicekit.messaging.relay import Relay
from servicekit.testing.waiting import eventually, running

PARTNER = "partner-demo"
SELF = Principal(PARTNER, frozenset({"partner"}), "cn")


@pytest.fixture
def accounts(tmp_path):
    return tmp_path / "partners.json"


async def test_consumer_and_account_come_and_go_with_the_partner(desk, bus, operator, accounts) -> None:
    provisioner = FeedProvisioner(desk.database, bus, accounts)

    async def signs_in() -> bool:
        return accounts.exists() and list(json.loads(accounts.read_text())) == [f"PARTNER_{PARTNER}"]

    async def is_gone() -> bool:
        try:
            await operator.consumer_info(FEEDS, PARTNER)
        except nats.js.errors.NotFoundError:
            return json.loads(accounts.read_text()) == {}
        return False

    async def is_shut_out() -> bool:
        return json.loads(accounts.read_text()) == {}

    _, password = await desk.register()
    async with running(provisioner.run()):
        await eventually(signs_in)
        assert (await operator.consumer_info(FEEDS, PARTNER)).config.filter_subject == f"bihuan.feed.{PARTNER}.>"
        assert password.text not in accounts.read_text()
        await desk.do(commands.suspend_partner, PARTNER, expected_version=0, principal=SELF)
        provisioner.wake()
        await eventually(is_shut_out)
        # It keeps its place: what was passed on before is there when it is resumed.
        assert (await operator.consumer_info(FEEDS, PARTNER)).name == PARTNER
        await desk.do(commands.end_partner, PARTNER, reason="over", expected_version=0, principal=SELF)
        provisioner.wake()
        await eventually(is_gone)


async def test_what_is_passed_on_arrives_as_a_cloudevent_of_its_source(desk, bus, operator) -> None:
    await desk.register()
    opened = desk.clock.now()
    case_id = await desk.open_case()

    async def arrived() -> bool:
        return (await operator.stream_info(FEEDS)).state.messages == 1

    async with running(Relay(desk.database, bus).run()):
        await eventually(arrived)
    message = await operator.get_last_msg(FEEDS, FEED_SUBJECTS)
    (row,) = await desk.feed()
    assert message.headers["ce-id"] == message.headers["Nats-Msg-Id"] == str(row.event_id)
    assert (message.headers["ce-source"], message.headers["ce-subject"]) == ("/bihuan/intake", case_id)
    assert message.headers["ce-time"] == opened.isoformat()
    assert json.loads(message.data)["case_id"] == case_id

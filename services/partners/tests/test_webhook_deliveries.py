"""Webhooks: signatures, retries, giving up, disabling, sending again (GWY-05)."""

import asyncio
import hmac
import json
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partners.pruning import build_prunings
from partners.registry import commands
from partners.webhooks import deliveries, endpoints
from partners.webhooks.delivery import State, next_due
from partners.webhooks.signing import new_secret, sign, webhook_headers
from servicekit.identity import Principal

PARTNER = "partner-demo"
SELF = Principal(PARTNER, frozenset({"partner"}), "cn")
STRANGER = Principal("partner-alarms", frozenset({"partner"}), "cn")


def test_the_signature_is_that_of_the_specification() -> None:
    secret, message_id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = sign(secret, message_id, 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.binary(max_size=200), message_id=st.uuids())
def test_another_body_or_secret_has_another_signature(body: bytes, message_id: UUID) -> None:
    secrets = [new_secret(), new_secret()]
    headers = webhook_headers(secrets, str(message_id), 1_700_000_000, body)
    first, second = headers["webhook-signature"].split(" ")
    assert not hmac.compare_digest(first, second)
    assert first == sign(secrets[0], str(message_id), 1_700_000_000, body)
    assert first != sign(secrets[0], str(message_id), 1_700_000_000, body + b" ")


def test_the_pauses_are_those_of_the_schedule_with_a_little_spread(manual_clock) -> None:
    pauses = (timedelta(seconds=5), timedelta(minutes=5))
    now = manual_clock.now()
    for tries, pause in enumerate(pauses, 1):
        due = next_due(now, tries, pauses)
        assert due is not None
        assert pause <= due - now <= pause * 1.1
    assert next_due(now, len(pauses) + 1, pauses) is None


async def test_an_event_is_sent_once_signed_to_those_who_want_it(desk) -> None:
    await desk.register()
    _, secret = await desk.endpoint("intake.case.opened")
    await desk.endpoint("intake.case.closed", url="https://other.example/")
    await desk.open_case()
    await desk.carry()
    ((url, headers, body),) = desk.receivers.sent
    assert url == "https://partner.example/hook"
    event = json.loads(body)
    assert (event["specversion"], event["source"], event["datacontenttype"]) == (
        "1.0",
        "/bihuan/intake",
        "application/json",
    )
    assert headers["webhook-id"] == event["id"]
    expected = sign(secret, event["id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == expected
    assert headers["content-type"].startswith("application/cloudevents+json")
    (delivery,) = await desk.deliveries()
    assert (delivery.state, delivery.attempts[0]["status"]) == (State.DELIVERED, 204)
    assert await desk.problems() == []


async def test_it_is_tried_again_after_its_pause_also_by_another_courier(desk) -> None:
    await desk.register()
    await desk.endpoint()
    desk.receivers.statuses = [500, 302]
    await desk.open_case()
    await desk.carry()
    await desk.carry()
    assert len(desk.receivers.sent) == 1
    desk.clock.advance(timedelta(seconds=6))
    await desk.carry()
    # Days down: what fell due meanwhile is sent by whoever comes next.
    desk.courier = desk.new_courier()
    desk.clock.advance(timedelta(days=3))
    await desk.carry()
    (delivery,) = await desk.deliveries()
    assert [attempt["status"] for attempt in delivery.attempts] == [500, 302, 204]
    assert len({headers["webhook-id"] for _, headers, _ in desk.receivers.sent}) == 1
    assert await desk.problems() == []


async def test_after_the_last_try_it_is_given_up_told_and_can_be_asked_for(desk) -> None:
    await desk.register()
    await desk.endpoint()
    desk.receivers.statuses = [503] * 3
    await desk.open_case()
    for _ in range(3):
        await desk.carry()
        desk.clock.advance(timedelta(hours=1))
    (given_up,) = await desk.deliveries()
    assert (given_up.state, given_up.given_up_reason) == (State.GIVEN_UP, "attempts_exhausted")
    assert len(await desk.events("delivery.given_up")) == 1
    assert await desk.problems() == []
    await desk.refused("partner_forbidden", deliveries.redeliver, PARTNER, given_up.delivery_id, principal=STRANGER)
    await desk.redeliver(given_up.delivery_id)
    await desk.refused("transition_forbidden", deliveries.redeliver, PARTNER, given_up.delivery_id, principal=SELF)
    await desk.carry()
    (delivered,) = await desk.deliveries()
    assert (delivered.state, len(delivered.attempts)) == (State.DELIVERED, 4)
    assert await desk.problems() == []


@pytest.mark.parametrize(("statuses", "reason"), [([410], "gone"), ([500] * 12, "failed_too_often")])
async def test_an_endpoint_that_is_gone_or_fails_for_long_is_disabled(desk, statuses: list[int], reason: str) -> None:
    await desk.register()
    endpoint, _ = await desk.endpoint()
    desk.receivers.statuses = statuses
    while (await desk.do(_endpoint, endpoint.endpoint_id)).state == "enabled":
        for _ in range(4):
            await desk.open_case()
        await desk.carry()
        desk.clock.advance(timedelta(hours=1))
    disabled = await desk.do(_endpoint, endpoint.endpoint_id)
    assert disabled.disabled_reason == reason
    assert len(await desk.events("endpoint.disabled")) == 1
    states = {delivery.state for delivery in await desk.deliveries()}
    assert states <= {State.GIVEN_UP, State.DELIVERED}
    assert await desk.problems() == []
    sent = len(desk.receivers.sent)
    await desk.open_case()
    await desk.carry()
    assert len(desk.receivers.sent) == sent
    enabled = await desk.do(
        endpoints.enable_endpoint, PARTNER, endpoint.endpoint_id, expected_version=0, principal=SELF
    )
    assert (enabled.state, enabled.failures) == ("enabled", 0)


async def test_both_secrets_sign_for_a_day(desk) -> None:
    await desk.register()
    endpoint, old = await desk.endpoint()
    _, new = await desk.do(
        endpoints.rotate_secret,
        PARTNER,
        endpoint.endpoint_id,
        expected_version=1,
        principal=SELF,
        policy=desk.policy,
        sealer=desk.sealer,
    )
    for signing in ((new, old), (new,)):
        await desk.open_case()
        await desk.carry()
        _, headers, body = desk.receivers.sent[-1]
        stamp = int(headers["webhook-timestamp"])
        expected = [sign(secret, headers["webhook-id"], stamp, body) for secret in signing]
        assert headers["webhook-signature"].split(" ") == expected
        desk.clock.advance(timedelta(days=1))


async def test_a_slow_endpoint_has_only_so_many_requests_at_once(desk) -> None:
    await desk.register()
    await desk.endpoint()
    for _ in range(10):
        await desk.open_case()
    answer = asyncio.Event()
    under_way = 0

    async def wait(url, headers, body):
        nonlocal under_way
        under_way += 1
        await answer.wait()
        return await type(desk.receivers).send(desk.receivers, url, headers, body)

    desk.receivers.send = wait
    assert await desk.courier.take_due()
    while under_way < desk.policy.concurrency:
        await asyncio.sleep(0)
    assert not await desk.courier.take_due()
    assert under_way == desk.policy.concurrency
    answer.set()
    await desk.carry()
    assert len(desk.receivers.sent) == 10


async def test_who_ends_gets_nothing_more_and_what_waited_has_its_reason(desk) -> None:
    await desk.register()
    await desk.endpoint()
    desk.receivers.statuses = [500]
    await desk.open_case()
    await desk.carry()
    await desk.do(commands.end_partner, PARTNER, reason="contract over", expected_version=0, principal=SELF)
    (delivery,) = await desk.deliveries()
    assert (delivery.state, delivery.given_up_reason) == (State.GIVEN_UP, "partner_ended")
    await desk.refused("transition_forbidden", deliveries.redeliver, PARTNER, delivery.delivery_id, principal=SELF)
    assert await desk.problems() == []


async def test_the_same_key_gives_the_same_endpoint_without_its_secret(desk) -> None:
    await desk.register()
    first, secret = await desk.endpoint(key="k")
    again, none = await desk.endpoint(key="k")
    assert (first.endpoint_id, none) == (again.endpoint_id, "")
    assert secret.startswith("whsec_")


async def test_deliveries_that_ended_long_ago_are_forgotten(desk) -> None:
    await desk.register()
    await desk.endpoint()
    await desk.open_case()
    await desk.carry()
    desk.clock.advance(timedelta(days=29))
    prune = build_prunings(desk.policy)["prune_deliveries"]
    assert await desk.do(prune) == 0
    desk.clock.advance(timedelta(days=2))
    assert await desk.do(prune) == 1
    assert await desk.deliveries() == []


async def _endpoint(tx, endpoint_id):
    return await endpoints.find_endpoint(tx, PARTNER, endpoint_id)

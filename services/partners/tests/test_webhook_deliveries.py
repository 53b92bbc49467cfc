"""Webhooks: signatures, retries, giving up, disabling, sending again (GWY-05)."""

import asyncio
import hmac
import json
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from partners.pruning import build_prunings
from partners.registry import commands
from partners.webhooks import deliveries, endpoints
from partners.webhooks.delivery import State, next_due
from partners.webhooks.signing import new_secret, sign, webhook_headers
from partners.webhooks.taking import take_due
from servicekit.identity import Principal
from servicekit.sealing import Sealer
from servicekit.testing.waiting import eventually

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


async def test_an_endpoint_that_is_gone_is_disabled_and_what_waits_is_sent_when_it_is_back(desk) -> None:
    await desk.register()
    endpoint, _ = await desk.endpoint()
    desk.receivers.statuses = [410]
    await desk.open_case()
    await desk.carry()
    disabled = await desk.do(_endpoint, endpoint.endpoint_id)
    assert (disabled.state, disabled.disabled_reason) == ("disabled", "gone")
    assert len(await desk.events("endpoint.disabled")) == 1
    await desk.open_case()
    desk.clock.advance(timedelta(minutes=2))
    await desk.carry()
    assert len(desk.receivers.sent) == 1
    assert [delivery.state for delivery in await desk.deliveries()] == [State.WAITING]
    enabled = await _enable(desk, endpoint)
    assert (enabled.state, enabled.failures, enabled.failing_since) == ("enabled", 0, None)
    await desk.carry()
    assert [delivery.state for delivery in await desk.deliveries()] == [State.DELIVERED]
    assert await desk.problems() == []


async def test_many_failures_within_minutes_disable_nothing_and_lose_nothing(desk) -> None:
    await desk.register()
    endpoint, _ = await desk.endpoint()
    for _ in range(60):
        await desk.open_case()
    desk.receivers.statuses = [503] * 60
    await desk.carry()
    assert (await desk.do(_endpoint, endpoint.endpoint_id)).failures == 60
    desk.clock.advance(timedelta(minutes=1))
    await desk.carry()
    assert {delivery.state for delivery in await desk.deliveries()} == {State.DELIVERED}
    after = await desk.do(_endpoint, endpoint.endpoint_id)
    assert (after.state, after.failures, after.failing_since) == ("enabled", 0, None)


async def test_an_endpoint_that_fails_for_days_without_a_success_is_disabled(desk) -> None:
    await desk.register()
    endpoint, _ = await desk.endpoint()
    began = desk.clock.now()
    desk.receivers.statuses = [500] * 1000
    while (await desk.do(_endpoint, endpoint.endpoint_id)).state == "enabled":
        desk.clock.advance(timedelta(hours=6))
        await desk.open_case()
        await desk.carry()
    failing = desk.clock.now() - began - timedelta(hours=6)
    assert desk.policy.failing_at_most <= failing < desk.policy.failing_at_most + timedelta(hours=6)
    assert (await desk.do(_endpoint, endpoint.endpoint_id)).disabled_reason == "failed_too_long"
    assert await desk.problems() == []


async def test_what_nobody_enables_is_given_up_when_its_schedule_ends(desk) -> None:
    await desk.register()
    endpoint, _ = await desk.endpoint()
    desk.receivers.statuses = [410]
    await desk.open_case()
    await desk.carry()
    # Failed once: 5 s until the next try, then 5 min until the last one.
    desk.clock.advance(timedelta(minutes=5))
    await desk.carry()
    assert [delivery.state for delivery in await desk.deliveries()] == [State.WAITING]
    desk.clock.advance(timedelta(seconds=10))
    await desk.carry()
    (given_up,) = await desk.deliveries()
    assert (given_up.state, given_up.given_up_reason) == (State.GIVEN_UP, "endpoint_disabled")
    assert len(await desk.events("delivery.given_up")) == 1
    assert await desk.problems() == []
    await _enable(desk, endpoint)
    await desk.redeliver(given_up.delivery_id)
    await desk.carry()
    assert (await desk.deliveries())[0].state == State.DELIVERED


async def test_a_secret_that_cannot_be_opened_is_a_failed_attempt(desk) -> None:
    await desk.register()
    await desk.endpoint()
    desk.sealer = Sealer(bytes(32))
    desk.courier = desk.new_courier()
    await desk.open_case()
    await desk.carry()
    (delivery,) = await desk.deliveries()
    assert (delivery.state, delivery.tries) == (State.WAITING, 1)
    assert [attempt["failure"] for attempt in delivery.attempts] == ["not_signed"]
    assert desk.receivers.sent == []


async def test_a_row_that_another_courier_has_just_leased_is_left_to_it(desk) -> None:
    await desk.register()
    await desk.endpoint()
    await desk.open_case()
    gate = "SELECT pg_advisory_lock(77)"
    async with desk.database.transaction("gate") as tx:
        # Whoever looks at endpoints from now on has its snapshot, and waits.
        await tx.fetch("ALTER TABLE webhook_endpoints RENAME TO gated_endpoints")
        await tx.fetch(
            "CREATE VIEW webhook_endpoints AS SELECT e.* FROM gated_endpoints e, "
            "(SELECT pg_advisory_xact_lock_shared(77) OFFSET 0) AS gate"
        )
    holder = await desk.database.dedicated_connection()
    try:
        await holder.execute(gate)
        second = asyncio.create_task(desk.do(_take, desk.policy))
        await eventually(lambda: _is_waiting(holder))
        await holder.execute(
            "UPDATE webhook_deliveries SET state = 'sending', due_at = NULL, "
            "leased_until = clock_timestamp() + interval '1 minute'"
        )
        await holder.execute("SELECT pg_advisory_unlock(77)")
        assert await second == []
    finally:
        await holder.close()


async def test_two_couriers_at_once_send_each_event_once(desk) -> None:
    await desk.register()
    for number in range(3):
        await desk.endpoint(url=f"https://partner.example/{number}")
    for _ in range(10):
        await desk.open_case()
    couriers = [desk.new_courier() for _ in range(2)]
    while len(desk.receivers.sent) < 30 and any(await asyncio.gather(*(courier.take_due() for courier in couriers))):
        await asyncio.gather(*(task for courier in couriers for task in courier._tasks))
    sent = [(url, headers["webhook-id"]) for url, headers, _ in desk.receivers.sent]
    assert (len(sent), len(set(sent))) == (30, 30)


async def test_a_long_backlog_is_not_read_to_take_the_next_ones(desk) -> None:
    await desk.register()
    await desk.endpoint()
    await desk.open_case()
    async with desk.database.transaction("backlog") as tx:
        await tx.fetch(
            "INSERT INTO webhook_deliveries SELECT uuidv7(), endpoint_id, partner, gen_random_uuid(), event_type, "
            "content, state, due_at, leased_until, tries, attempts, accepted_at, ended_at, given_up_reason "
            "FROM webhook_deliveries, generate_series(1, 5000)"
        )
    async with desk.database.transaction("analyze") as tx:
        await tx.fetch("ANALYZE webhook_deliveries")
    async with desk.database.transaction("take") as tx:
        before = await _rows_read(tx)
        assert len(await _take(tx, desk.policy)) == desk.policy.concurrency
        assert await _rows_read(tx) - before < 200


def test_a_lease_outlasts_an_attempt(desk) -> None:
    assert desk.policy.lease_seconds > 2 * desk.policy.request_seconds


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


async def _enable(desk, endpoint):
    return await desk.do(endpoints.enable_endpoint, PARTNER, endpoint.endpoint_id, expected_version=0, principal=SELF)


async def _take(tx, policy):
    return await take_due(tx, [], limit=policy.concurrency, lease_seconds=policy.lease_seconds)


async def _is_waiting(connection) -> bool:
    return bool(await connection.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


async def _rows_read(tx) -> int:
    """Of deliveries, so far in this transaction."""
    read = await tx.fetch(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_xact_user_tables "
        "WHERE relname = 'webhook_deliveries'"
    )
    return int(read[0]["rows"])

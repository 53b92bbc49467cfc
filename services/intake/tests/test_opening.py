"""Accepting requests on a real database: exactly once, gathered, duplicates joined (INT-01, INT-04, INT-08, INT-14)."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from uuid import uuid4

import pytest
from intake.cases import queries
from intake.cases.case import Stage
from intake.cases.opening import Opened
from intake.cases.tables import CASES, HISTORY, TEXTS
from intake.customers.store import key_of
from intake.customers.tables import CUSTOMERS
from intake.desk import Desk
from servicekit.clock import ManualClock
from servicekit.customerkeys import unseal
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.testing.waiting import eventually
from sqlalchemy import func, select, text, update


async def count(database: Database, table: str) -> int:
    async with database.transaction("count") as tx:
        return await tx.scalar(text(f"SELECT count(*) FROM {table}"))


async def _is_positive(count: Awaitable[int]) -> bool:
    return await count > 0


async def subjects(database: Database) -> list[str]:
    async with database.transaction("outbox") as tx:
        return list((await tx.execute(text("SELECT subject FROM outbox ORDER BY id"))).scalars())


async def test_int01_a_stranger_becomes_a_customer_with_a_case(
    a_request, database: Database, desk: Desk, office, app: Principal
) -> None:
    opened = await office.open(a_request(), app)
    case = opened.case
    assert (case.stage, case.version, case.owner, case.priority) == (Stage.ACCEPTED, 1, "duty.gz", 2)
    assert (case.proposed_kind, case.kind, case.classification_confirmed) == ("fault_repair", "fault_repair", False)
    assert [clock.name for clock in opened.clocks] == ["fault_response", "assessment"]
    assert await subjects(database) == ["bihuan.intake.customer.registered.v1", "bihuan.intake.case.opened.v1"]
    async with database.transaction("check") as tx:
        customer = (await tx.execute(select(CUSTOMERS))).one()
        assert b"13800138000" not in customer.sealed_phone
        stored = await queries.find_visible(tx, app, case.case_number)
        assert stored == case
        (shown,) = await queries.show(tx, desk, app, [stored])
    assert (shown.subject, shown.description) == ("宽带断网", "光猫红灯，上不了网")


async def test_int08_an_agent_owns_what_they_take(a_request, office, agent: Principal) -> None:
    assert (await office.open(a_request(channel="hotline"), agent)).case.owner == "agent.gz"


async def test_int14_the_same_problem_joins_the_open_case(
    a_request, database: Database, desk: Desk, office, app: Principal
) -> None:
    first = await office.open(a_request(), app)
    again = await office.open(a_request(subject="还是断网", idempotency_key="k2"), app)
    assert (again.joined, again.case.case_id, again.case.version) == (True, first.case.case_id, 2)
    replayed = await office.open(a_request(subject="还是断网", idempotency_key="k2"), app)
    assert (replayed.joined, replayed.case.case_id) == (True, first.case.case_id)
    assert await count(database, "cases") == 1
    async with database.transaction("check") as tx:
        happened = (await tx.execute(select(HISTORY.c.happened).order_by(HISTORY.c.entry_id))).scalars().all()
        joined = (await tx.execute(select(TEXTS))).one()
    assert happened == ["case_opened", "report_joined"]
    assert joined.role == "joined_report"
    assert unseal(desk.sealer, key_of(again.customer), joined.sealed).startswith("还是断网")


async def test_int14_another_kind_of_problem_does_not_join(a_request, office, app: Principal) -> None:
    await office.open(a_request(), app)
    other = await office.open(a_request(kind="inquiry", category="mobile"), app)
    assert not other.joined


async def test_int14_a_case_being_closed_is_repeated_not_joined(
    a_request, database: Database, office, app: Principal
) -> None:
    """The report waits for the closing that is under way, and then finds the case closed."""
    first = await office.open(a_request(), app)
    async with database.transaction("close") as tx:
        await tx.execute(update(CASES).values(stage=Stage.CLOSED.value, closed_at=tx.now, outcome="solved"))
        report = asyncio.create_task(office.open(a_request(), app))
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        await eventually(lambda: _is_positive(tx.scalar(waiting)))
    repeat = await report
    assert (repeat.joined, repeat.case.repeat_of) == (False, first.case.case_id)


async def test_int14_what_says_nothing_to_us_is_no_evidence_of_the_same_problem(
    a_request, office, app: Principal
) -> None:
    await office.open(a_request(subject="你好", description=""), app)
    other = await office.open(a_request(subject="在吗", description=""), app)
    assert (other.joined, other.case.proposed_confidence) == (False, 0.0)


async def test_int14_outside_the_window_a_new_case_begins(
    a_request, office, app: Principal, manual_clock: ManualClock
) -> None:
    await office.open(a_request(), app)
    manual_clock.advance(timedelta(days=7, seconds=1))
    assert not (await office.open(a_request(), app)).joined


async def test_int14_a_repeat_after_closing_is_linked_and_more_important(
    a_request, database: Database, office, app: Principal, manual_clock: ManualClock
) -> None:
    first = await office.open(a_request(), app)
    async with database.transaction("close") as tx:
        closed = {"stage": Stage.ARCHIVED.value, "closed_at": tx.now, "outcome": "solved"}
        await tx.execute(update(CASES).values(closed))
    manual_clock.advance(timedelta(days=29))
    repeat = await office.open(a_request(), app)
    assert (repeat.case.repeat_of, repeat.case.priority) == (first.case.case_id, 1)
    manual_clock.advance(timedelta(days=31))
    assert (await office.open(a_request(), app)).case.repeat_of is None


async def test_one_key_five_times_at_once_is_one_case(
    a_request, database: Database, replica, office, app: Principal
) -> None:
    """Two replicas, five requests with one key at the same time."""
    request = a_request(idempotency_key="same")
    answers = await asyncio.gather(*(place.open(request, app) for place in (office, replica, office, replica, office)))
    assert len({answer.case.case_id for answer in answers}) == 1
    assert not any(answer.joined for answer in answers)
    assert (await count(database, "cases"), await count(database, "customers")) == (1, 1)
    assert (await count(database, "case_history"), await count(database, "deadlines")) == (1, 2)


async def test_a_key_with_another_content_is_refused_alone(a_request, office, app: Principal) -> None:
    good, first, second = await asyncio.gather(
        office.open(a_request(phone="13900000001"), app),
        office.open(a_request(idempotency_key="k"), app),
        office.open(a_request(idempotency_key="k", subject="别的"), app),
        return_exceptions=True,
    )
    assert isinstance(good, Opened)
    assert isinstance(first, Opened)
    assert isinstance(second, Fault)
    assert second.code == "idempotency_key_reused"


async def test_keys_belong_to_their_callers(a_request, office, app: Principal, agent: Principal) -> None:
    mine = await office.open(a_request(idempotency_key="k", phone="13900000001"), app)
    theirs = await office.open(a_request(idempotency_key="k", phone="13900000002"), agent)
    assert mine.case.case_id != theirs.case.case_id


async def test_sixty_four_at_once_share_transactions(a_request, database: Database, office, app: Principal) -> None:
    """Of 64 requests some are wrong and two are the same problem; each gets its own answer."""
    requests = [a_request(phone=f"139{number:08}") for number in range(62)]
    requests += [a_request(phone="13900000000"), a_request(customer_id=str(uuid4()))]
    answers = await asyncio.gather(*(office.open(each, app) for each in requests), return_exceptions=True)
    opened = [answer for answer in answers if isinstance(answer, Opened)]
    assert len({answer.case.case_number for answer in opened if not answer.joined}) == 62
    assert [answer.joined for answer in opened].count(True) == 1
    assert isinstance(answers[-1], Fault)
    assert (answers[-1].code, answers[-1].field) == ("customer_unknown", "caller.customer_id")
    assert (await count(database, "cases"), await count(database, "deadlines")) == (62, 124)
    assert (await subjects(database)).count("bihuan.intake.case.opened.v1") == 62


async def test_two_replicas_find_the_same_problem(
    a_request, database: Database, replica, office, app: Principal
) -> None:
    """INT-14 holds at the same moment too: the customer's row makes the two reports wait for each other."""
    await office.open(a_request(kind="inquiry"), app)
    answers = await asyncio.gather(office.open(a_request(), app), replica.open(a_request(), app))
    assert sorted(answer.joined for answer in answers) == [False, True]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "unheard_of"}, "kind_unknown"),
        ({"category": "unheard_of"}, "category_unknown"),
        ({"channel": "pigeon"}, "channel_unknown"),
        ({"region": "cn.xx"}, "region_unknown"),
    ],
)
async def test_unknown_words_are_named(a_request, office, app: Principal, change: dict[str, str], code: str) -> None:
    with pytest.raises(Fault) as refused:
        await office.open(a_request(**change), app)
    assert (refused.value.code, refused.value.field) == (code, *change)


async def test_gwy08_foreign_regions_and_other_peoples_ids_are_refused(a_request, office, agent: Principal) -> None:
    with pytest.raises(Fault, match="domain_forbidden"):
        await office.open(a_request(region="cn.gd.sz.nanshan"), agent)
    myself = Principal("sub", frozenset({"customer"}), customer_id=str(uuid4()))
    with pytest.raises(Fault, match="not_yours"):
        await office.open(a_request(customer_id=str(uuid4())), myself)


async def test_gwy08_a_customer_of_a_foreign_region_is_refused(
    a_request, office, app: Principal, agent: Principal
) -> None:
    await office.open(a_request(region="cn.sc.cd.wuhou"), app)
    with pytest.raises(Fault, match="domain_forbidden"):
        await office.open(a_request(), agent)


async def test_customers_open_their_own_cases(a_request, office, app: Principal) -> None:
    known = await office.open(a_request(), app)
    myself = Principal("sub", frozenset({"customer"}), customer_id=str(known.customer.customer_id))
    mine = await office.open(a_request(kind="inquiry", category="mobile", phone="000000"), myself)
    assert mine.case.customer_id == known.customer.customer_id
    assert mine.case.owner == "duty.gz"


async def test_case_numbers_are_unique_and_speakable(a_request, database: Database, office, app: Principal) -> None:
    numbers = {(await office.open(a_request(phone=f"1390000{n:04}"), app)).case.case_number for n in range(3)}
    assert len(numbers) == 3
    assert all(number.startswith("2603-") for number in numbers)
    async with database.transaction("check") as tx:
        assert await tx.scalar(select(func.count()).select_from(CASES)) == 3

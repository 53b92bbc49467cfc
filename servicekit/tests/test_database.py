"""The database room against a real server: state and events together or not at all."""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from bihuan.dispatch.v1 import events_pb2 as dispatch
from bihuan.intake.v1 import events_pb2 as intake
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.sdk.trace import TracerProvider
from servicekit.database import Database, current_traceparent, is_database_trouble
from servicekit.database.engine import RETRIES
from servicekit.database.tables import idempotency_keys, outbox
from servicekit.database.trouble import OutcomeUnknownError
from servicekit.embedded.postgres import EmbeddedPostgres
from servicekit.errors import Fault
from servicekit.ids import uuid7
from servicekit.testing.postgres import server_folder
from sqlalchemy import select, text
from sqlmodel import Field, MetaData, SQLModel


def opened(case_id: str = "c1") -> intake.CaseOpened:
    return intake.CaseOpened(case_id=case_id, case_number="2603-0000-0010", region="cn.gd", channel="app")


class Thing(SQLModel, table=True):
    metadata = MetaData()
    name: str = Field(primary_key=True)


async def outbox_rows(database: Database) -> list:
    async with database.transaction("look") as tx:
        return list((await tx.execute(select(outbox).order_by(outbox.c.id))).all())


async def remembered(database: Database) -> list[str]:
    async with database.transaction("look") as tx:
        return list((await tx.execute(text("SELECT name FROM things ORDER BY name"))).scalars())


@pytest.fixture
async def things(database):
    async with database.transaction("make things") as tx:
        await tx.execute(text("CREATE TABLE things (name text PRIMARY KEY)"))


async def remember(tx, name: str) -> None:
    await tx.execute(text("INSERT INTO things VALUES (:name)"), {"name": name})


async def test_an_event_is_stored_with_the_state_it_tells_of(database, things, manual_clock):
    wakes: list[str] = []
    database.on_commit_with_events(lambda: wakes.append("relay"))
    async with database.transaction("open") as tx:
        await remember(tx, "case")
        event_id = tx.emit(opened(), version=1)
        tx.after_commit(lambda: wakes.append("own"))
        assert wakes == []
    (row,) = await outbox_rows(database)
    assert wakes == ["own", "relay"]
    assert row.event_id == event_id
    assert (row.subject, row.entity_id, row.entity_version, row.case_id) == (
        "bihuan.intake.case.opened.v1",
        "c1",
        1,
        "c1",
    )
    assert json.loads(row.body) == {
        "case_id": "c1",
        "case_number": "2603-0000-0010",
        "region": "cn.gd",
        "channel": "app",
    }
    assert row.headers == {"ce-type": "bihuan.intake.v1.CaseOpened"}
    assert row.created_at == manual_clock.now()
    assert row.published_at is None
    assert await remembered(database) == ["case"]


async def test_a_failed_transaction_leaves_neither_state_nor_event(database, things):
    wakes: list[str] = []
    database.on_commit_with_events(lambda: wakes.append("relay"))
    with pytest.raises(Fault, match="stale_version"):
        async with database.transaction("open") as tx:
            await remember(tx, "case")
            tx.emit(opened(), version=1)
            tx.after_commit(lambda: wakes.append("own"))
            raise Fault("stale_version")
    assert await outbox_rows(database) == []
    assert await remembered(database) == []
    assert wakes == []


async def test_a_commit_without_events_does_not_wake_the_relay(database, things):
    wakes: list[str] = []
    database.on_commit_with_events(lambda: wakes.append("relay"))
    async with database.transaction("quiet") as tx:
        await remember(tx, "case")
    assert wakes == []


async def test_many_events_keep_the_order_of_emission(database):
    async with database.transaction("many") as tx:
        for number in range(1, 101):
            tx.emit(opened(f"c{number}"), version=number)
        tx.command(dispatch.CancelWorkOrder(work_order_id="w1", case_id="c9", reason="solved"))
    rows = await outbox_rows(database)
    assert [row.entity_version for row in rows] == [*range(1, 101), 0]
    assert (rows[-1].subject, rows[-1].entity_id, rows[-1].case_id) == (
        "bihuan.dispatch.commands.cancel_work_order",
        "c9",
        "c9",
    )


async def test_an_event_is_what_it_was_when_emitted(database):
    event = opened()
    async with database.transaction("open") as tx:
        tx.emit(event, version=1)
        event.case_number = "changed later"
    (row,) = await outbox_rows(database)
    assert json.loads(row.body)["case_number"] == "2603-0000-0010"


async def test_a_message_without_a_contract_for_the_bus_is_refused(database):
    async with database.transaction("wrong") as tx:
        with pytest.raises(TypeError):
            tx.emit(Timestamp(), version=1)


async def test_events_carry_the_trace_that_caused_them(database):
    """TRC-01: gathered requests pass on their own traceparent, others take the current span's."""
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("request"):
        given = current_traceparent()
    with tracer.start_as_current_span("other request") as span:
        async with database.transaction("open") as tx:
            tx.emit(opened("c1"), version=1, traceparent=given)
            tx.emit(opened("c2"), version=1)
    first, second = await outbox_rows(database)
    assert first.headers["traceparent"] == given
    assert second.headers["traceparent"].split("-")[1] == f"{span.get_span_context().trace_id:032x}"


async def test_platform_time_stands_still_within_a_transaction(database, manual_clock):
    async with database.transaction("time") as tx:
        started = tx.now
        manual_clock.advance(timedelta(hours=1))
        assert tx.now == started
    async with database.transaction("time") as tx:
        assert tx.now == started + timedelta(hours=1)


async def test_a_savepoint_undoes_its_part_only(database, things):
    async with database.transaction("parts") as tx:
        await remember(tx, "kept")
        tx.emit(opened("kept"), version=1)
        with suppress(ZeroDivisionError):
            async with tx.savepoint():
                await remember(tx, "lost")
                tx.emit(opened("lost"), version=1)
                raise ZeroDivisionError
        async with tx.savepoint():
            tx.emit(opened("kept too"), version=1)
    assert await remembered(database) == ["kept"]
    assert [row.entity_id for row in await outbox_rows(database)] == ["kept", "kept too"]


async def test_one_key_claimed_five_times_at_once_gives_one_id(database):
    async def claim() -> tuple[UUID, UUID]:
        offered = uuid7()
        async with database.transaction("claim") as tx:
            ids = await tx.claim_keys("open_case", {"k": (b"same", offered)})
            await asyncio.sleep(0)  # let the others run into the uncommitted row
        return offered, ids["k"]

    claims = await asyncio.gather(*(claim() for _ in range(5)))
    assert len({used for _, used in claims}) == 1
    assert sum(offered == used for offered, used in claims) == 1


async def test_a_key_belongs_to_its_request_and_scope(database):
    first, second, third = uuid7(), uuid7(), uuid7()
    async with database.transaction("claim") as tx:
        assert await tx.claim_keys("a", {"k": (b"one", first), "": (b"", second)}) == {"k": first, "": second}
    async with database.transaction("claim") as tx:
        assert await tx.claim_keys("b", {"k": (b"other", second)}) == {"k": second}
    with pytest.raises(Fault, match="idempotency_key_reused"):
        async with database.transaction("claim") as tx:
            await tx.claim_keys("a", {"k": (b"other", third)})
    async with database.transaction("look") as tx:
        assert set((await tx.execute(select(idempotency_keys.c.entity_id))).scalars()) == {first, second}


async def test_a_claim_that_was_rolled_back_leaves_the_key_free(database):
    first, second = uuid7(), uuid7()
    with pytest.raises(ZeroDivisionError):
        async with database.transaction("claim") as tx:
            await tx.claim_keys("a", {"k": (b"one", first)})
            raise ZeroDivisionError
    async with database.transaction("claim") as tx:
        assert await tx.claim_keys("a", {"k": (b"two", second)}) == {"k": second}


async def test_run_repeats_after_a_lost_connection(database, things):
    attempts = 0

    async def work(tx) -> str:
        nonlocal attempts
        attempts += 1
        await remember(tx, f"attempt {attempts}")
        if attempts == 1:
            await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "done"

    assert await database.run("flaky", work) == "done"
    assert await remembered(database) == ["attempt 2"]


async def test_run_gives_up_with_a_fault_and_never_repeats_what_is_not_the_databases_trouble(database):
    attempts = 0

    async def lost(tx) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Fault, match="unavailable") as caught:
        await database.run("lost", lost)
    assert is_database_trouble(caught.value)
    assert attempts == RETRIES + 1

    async def wrong(tx) -> None:
        nonlocal attempts
        attempts += 1
        raise OSError("a file, not the database")

    attempts = 0
    with pytest.raises(OSError, match="a file"):
        await database.run("wrong", wrong)
    assert attempts == 1


async def test_a_commit_without_an_answer_is_not_repeated(database):
    attempts = 0

    async def work(tx) -> None:
        nonlocal attempts
        attempts += 1
        # The deferred trigger runs inside the commit.
        await tx.execute(text("CREATE TABLE doomed (id int)"))
        await tx.connection.exec_driver_sql(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"
        )
        await tx.execute(
            text(
                "CREATE CONSTRAINT TRIGGER dying AFTER INSERT ON doomed DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION die()"
            )
        )
        await tx.execute(text("INSERT INTO doomed VALUES (1)"))

    with pytest.raises(Fault, match="unavailable") as caught:
        await database.run("doomed", work)
    assert isinstance(caught.value.__cause__, OutcomeUnknownError)
    assert attempts == 1


async def test_deadlock_and_serialization_failures_are_the_databases_trouble(database, things):
    async with database.transaction("seed") as tx:
        await remember(tx, "a")
        await remember(tx, "b")
    both_hold_one = asyncio.Barrier(2)

    async def update(first: str, second: str) -> None:
        waited = False

        async def work(tx) -> None:
            nonlocal waited
            await tx.execute(text("SELECT 1 FROM things WHERE name = :name FOR UPDATE"), {"name": first})
            if not waited:
                waited = True
                await both_hold_one.wait()
            await tx.execute(text("SELECT 1 FROM things WHERE name = :name FOR UPDATE"), {"name": second})

        await database.run("update", work)

    await asyncio.gather(update("a", "b"), update("b", "a"))


async def test_wrong_statements_are_nobodys_trouble_but_ours(database, things):
    async with database.transaction("seed") as tx:
        await remember(tx, "a")
    for statement in ("SELECT 1/0", "INSERT INTO things VALUES ('a')", "SELECT * FROM nowhere", "SELEKT"):
        with pytest.raises(Exception, match=r"\w") as caught:
            async with database.transaction("wrong") as tx:
                await tx.execute(text(statement))
        assert not isinstance(caught.value, Fault)
        assert not is_database_trouble(caught.value)
    assert not is_database_trouble(Fault("unavailable"))
    assert not is_database_trouble(TimeoutError())


@pytest.fixture
async def own_server():
    """A server that the test may stop."""
    with server_folder("postgres") as home:
        server = EmbeddedPostgres(home, durable=False)
        await server.start()
        yield server
        await server.stop()


async def test_without_postgresql_there_is_a_fault_and_later_it_goes_on(manual_clock, own_server):
    database = Database("intake", own_server.url, manual_clock)
    async with database.transaction("before") as tx:
        await tx.execute(text("CREATE TABLE things (name text PRIMARY KEY)"))
    # Fill the pool, so that stale connections are met after the restart.
    assert all(await asyncio.gather(*(database.is_reachable() for _ in range(10))))
    await own_server.stop()
    assert not await database.is_reachable()
    with pytest.raises(Fault, match="unavailable") as caught:
        async with database.transaction("during"):
            pass
    assert is_database_trouble(caught.value)
    await own_server.start()
    for number in range(10):
        async with database.transaction("after") as tx:
            await remember(tx, f"thing {number}")
    assert len(await remembered(database)) == 10
    await database.close()


async def test_a_cancelled_transaction_is_undone_and_its_connection_comes_back(database_url, manual_clock):
    database = Database("intake", database_url, manual_clock, pool=1)
    async with database.transaction("seed") as tx:
        await tx.execute(text("CREATE TABLE things (name text)"))

    started = asyncio.Event()

    async def slow() -> None:
        async with database.transaction("slow") as tx:
            await remember(tx, "lost")
            started.set()
            await tx.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(slow())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await remembered(database) == []
    await database.close()


async def test_the_session_shares_the_transaction(database):
    async with database.transaction("make") as tx:
        await tx.connection.run_sync(Thing.metadata.create_all)
    async with database.transaction("cold") as tx:
        tx.session.add(Thing(name="kept"))
        tx.emit(opened(), version=1)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction("cold") as tx:
            tx.session.add(Thing(name="lost"))
            await tx.session.flush()
            raise ZeroDivisionError
    async with database.transaction("look") as tx:
        assert (await tx.session.get(Thing, "kept")) is not None
        assert (await tx.session.get(Thing, "lost")) is None


async def test_statements_run_once_for_each_of_many_params(database, things):
    table = text("INSERT INTO things VALUES (:name)")
    async with database.transaction("many") as tx:
        await tx.execute(table, [{"name": "a"}, {"name": "b"}])
    assert await remembered(database) == ["a", "b"]

"""Gathered requests share a transaction and can't fail each other."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from bihuan.intake.v1 import events_pb2 as intake
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from servicekit.database import engine
from servicekit.database.engine import RETRIES
from servicekit.database.tables import outbox
from servicekit.errors import Fault
from servicekit.gathering import Gatherer
from servicekit.telemetry.names import TRANSACTION
from sqlalchemy import func, select, text

# Connections of the fixture's database.
POOL = 10


class Names:
    """Stores names, a whole batch in one statement, and remembers how they came."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def store(self, tx, requests):
        self.batches.append(list(requests))
        await self.gate.wait()
        wanted = [name for name in requests if name != "forbidden"]
        await tx.execute(text("INSERT INTO names SELECT unnest(CAST(:names AS text[]))"), {"names": wanted})
        for name in wanted:
            tx.emit(intake.CaseOpened(case_id=name), version=1)
        return [Fault("kind_unknown") if name == "forbidden" else name.upper() for name in requests]


@pytest.fixture
async def names(database):
    async with database.transaction("make") as tx:
        await tx.execute(text("CREATE TABLE names (name text PRIMARY KEY)"))
    return Names()


async def stored(database) -> list[str]:
    async with database.transaction("look") as tx:
        found = list((await tx.execute(text("SELECT name FROM names ORDER BY name"))).scalars())
        assert await tx.scalar(select(func.count()).select_from(outbox)) == len(found)
        return found


async def behind_a_running_one(names: Names, gatherer: Gatherer, requests: list[str]) -> list:
    """Submit `requests` while the transaction of another one runs."""
    names.gate.clear()
    first = asyncio.create_task(gatherer.submit("first"))
    while not names.batches:
        await asyncio.sleep(0)
    rest = [asyncio.create_task(gatherer.submit(request)) for request in requests]
    await asyncio.sleep(0)
    names.gate.set()
    await first
    return await asyncio.gather(*rest, return_exceptions=True)


@asynccontextmanager
async def occupied(database):
    """No other transaction begins before this ends."""
    async with AsyncExitStack() as transactions:
        for _ in range(POOL):
            await transactions.enter_async_context(database.transaction("occupy"))
        yield


async def turns() -> None:
    """Everybody has had their turn and waits for something outside."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_requests_that_wait_share_one_transaction(database, names):
    gatherer = Gatherer(database, "store", names.store)
    assert await behind_a_running_one(names, gatherer, ["b", "a", "c"]) == ["B", "A", "C"]
    assert names.batches == [["first"], ["b", "a", "c"]]
    assert await stored(database) == ["a", "b", "c", "first"]


async def test_who_comes_while_the_transaction_begins_still_shares_it(database, names):
    gatherer = Gatherer(database, "store", names.store, limit=2)
    async with occupied(database):
        waiting = []
        for name in "abc":
            waiting.append(asyncio.create_task(gatherer.submit(name)))
            await asyncio.sleep(0)
        assert names.batches == []
    assert await asyncio.gather(*waiting) == ["A", "B", "C"]
    assert names.batches == [["a", "b"], ["c"]]


async def test_a_batch_has_a_limit(database, names):
    gatherer = Gatherer(database, "store", names.store, limit=2)
    await behind_a_running_one(names, gatherer, ["a", "b", "c"])
    assert names.batches == [["first"], ["a", "b"], ["c"]]


async def test_a_fault_of_one_request_is_its_own(database, names):
    gatherer = Gatherer(database, "store", names.store)
    before, forbidden, after = await behind_a_running_one(names, gatherer, ["a", "forbidden", "b"])
    assert (before, after) == ("A", "B")
    assert isinstance(forbidden, Fault)
    assert forbidden.code == "kind_unknown"
    assert len(names.batches) == 2
    assert await stored(database) == ["a", "b", "first"]


async def test_a_request_that_breaks_the_transaction_fails_alone(database, names):
    gatherer = Gatherer(database, "store", names.store)
    before, broken, after = await behind_a_running_one(names, gatherer, ["a", "first", "b"])
    assert (before, after) == ("A", "B")
    assert isinstance(broken, Exception)
    assert not isinstance(broken, Fault)
    assert names.batches == [["first"], ["a", "first", "b"], ["a"], ["first"], ["b"]]
    assert await stored(database) == ["a", "b", "first"]


async def test_who_gave_up_while_waiting_is_left_out(database, names):
    gatherer = Gatherer(database, "store", names.store)
    names.gate.clear()
    first = asyncio.create_task(gatherer.submit("first"))
    while not names.batches:
        await asyncio.sleep(0)
    gone = asyncio.create_task(gatherer.submit("gone"))
    stays = asyncio.create_task(gatherer.submit("stays"))
    await asyncio.sleep(0)
    gone.cancel()
    names.gate.set()
    assert await asyncio.gather(first, stays) == ["FIRST", "STAYS"]
    assert await stored(database) == ["first", "stays"]


async def test_who_gives_up_while_the_transaction_begins_is_left_out(database, names):
    gatherer = Gatherer(database, "store", names.store)
    async with occupied(database):
        gone, stays = [asyncio.create_task(gatherer.submit(name)) for name in ("gone", "stays")]
        await turns()
        gone.cancel()
    assert await stays == "STAYS"
    async with occupied(database):
        alone = asyncio.create_task(gatherer.submit("alone"))
        await turns()
        alone.cancel()
    assert await gatherer.submit("last") == "LAST"
    assert names.batches == [["stays"], ["last"]]


async def test_a_transaction_that_is_done_again_leaves_out_who_gave_up_and_links_who_came_late(
    database, names, monkeypatch
):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    # Tracers are made at import and bound to the first provider of the process.
    monkeypatch.setattr(engine, "_tracer", tracer)
    tries = []

    async def lose_the_first(tx, requests):
        tries.append(list(requests))
        if len(tries) == 1:
            callers["gone"].cancel()
            await tx.execute(text("DO $$ BEGIN RAISE serialization_failure; END $$"))
        return requests

    gatherer, callers, asked = Gatherer(database, "lose", lose_the_first), {}, {}
    async with occupied(database):
        for name in ("first", "gone", "late"):
            with tracer.start_as_current_span(name) as request:
                callers[name] = asyncio.create_task(gatherer.submit(name))
                asked[name] = request.get_span_context().span_id
            await turns()
    assert await asyncio.gather(callers["first"], callers["late"]) == ["first", "late"]
    assert tries == [["first", "gone", "late"], ["first", "late"]]
    transactions = [span for span in exporter.get_finished_spans() if span.attributes.get(TRANSACTION) == "lose"]
    assert [{link.context.span_id for link in span.links} for span in transactions] == [set(asked.values())] * 2


async def test_trouble_of_the_database_is_everybodys_and_later_it_goes_on(database, names):
    gatherer = Gatherer(database, "store", names.store)
    attempts = 0

    async def lose_the_connection(tx, requests):
        nonlocal attempts
        attempts += 1
        await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    losing = Gatherer(database, "lose", lose_the_connection)
    outcomes = await asyncio.gather(*(losing.submit(name) for name in "abc"), return_exceptions=True)
    assert [outcome.code for outcome in outcomes] == ["unavailable"] * 3
    assert attempts == RETRIES + 1  # together, never each alone
    assert await gatherer.submit("a") == "A"


async def test_a_handler_that_forgets_a_request_fails_and_stores_nothing(database, names):
    async def forgetful(tx, requests):
        return (await names.store(tx, requests))[1:]

    outcomes = await asyncio.gather(
        *(Gatherer(database, "forget", forgetful).submit(name) for name in "ab"), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [RuntimeError] * 2
    assert await stored(database) == []


async def test_a_hundred_callers_at_once(database, names):
    gatherer = Gatherer(database, "store", names.store)
    answers = await asyncio.gather(*(gatherer.submit(f"n{number}") for number in range(100)))
    assert answers == [f"N{number}" for number in range(100)]
    assert len(names.batches) == 2
    assert len(await stored(database)) == 100

"""Reports that share a transaction: each gets its own answer, whatever happens to its neighbours (INT-01, INT-14)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from intake.cases.opening import Opened, open_cases
from intake.cases.reports import Report
from intake.customers.commands import erase_customer
from servicekit.database import Database, UnitOfWork
from servicekit.errors import Fault
from servicekit.gathering import Gatherer
from servicekit.identity import Principal
from sqlalchemy import text

from servicekit import deadlines


class Together:
    """The transactions of an office: how many reports shared each, and what they left. Can break them when all is done
    but the commit."""

    def __init__(self, database: Database, office: Any) -> None:
        self.database = database
        self.sizes: list[int] = []
        self.worked = asyncio.Event()
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        self.breaks = 0
        self._desk = office.desk
        office.gatherer = Gatherer[Report, Opened](database, "open_case", self._handle)

    async def _handle(self, tx: UnitOfWork, reports: Sequence[Report]) -> list[Opened | Fault]:
        self.sizes.append(len(reports))
        answers = await open_cases(tx, self._desk, reports)
        self.worked.set()
        await self.may_commit.wait()
        if self.breaks:
            self.breaks -= 1
            await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return answers

    async def rows(self, table: str) -> int:
        async with self.database.transaction("count") as tx:
            return int(await tx.scalar(text(f"SELECT count(*) FROM {table}")))

    async def stored(self, answers: Sequence[Any]) -> list[Opened]:
        """The answers that are no faults, each as the database has it: number, version and clocks."""
        opened = [answer for answer in answers if isinstance(answer, Opened)]
        async with self.database.transaction("look") as tx:
            clocks = await deadlines.of(tx, {str(answer.case.case_id) for answer in opened})
            for answer in opened:
                assert list(answer.clocks) == clocks[str(answer.case.case_id)]
                statement = text("SELECT case_number, version FROM cases WHERE case_id = :id")
                row = (await tx.execute(statement, {"id": answer.case.case_id})).one()
                assert (answer.case.case_number, answer.case.version) == tuple(row)
        return opened


@pytest.fixture
def together(database: Database, office: Any) -> Together:
    return Together(database, office)


async def test_one_transaction_answers_each_of_many_different_reports(
    a_request, together: Together, office, app: Principal, agent: Principal
) -> None:
    """New, repeated five times, joined, foreign and erased: side by side, and none of them costs another its case."""
    erased = await office.open(a_request(phone="13900000009"), app)
    await together.database.run("erase", lambda tx: erase_customer(tx, agent, erased.customer.customer_id))
    await office.open(a_request(phone="13900000008", region="cn.sc.cd.wuhou"), app)
    before, together.sizes = await together.rows("cases"), []
    answers = await asyncio.gather(
        office.open(a_request(phone="13900000001"), app),
        *(office.open(a_request(phone="13900000002", idempotency_key="five"), app) for _ in range(5)),
        office.open(a_request(phone="13900000001", subject="还是断网"), app),
        office.open(a_request(customer_id=str(erased.customer.customer_id)), app),
        office.open(a_request(phone="13900000008"), agent),
        return_exceptions=True,
    )
    assert together.sizes == [9]
    assert [fault.code for fault in answers if isinstance(fault, Fault)] == ["customer_erased", "domain_forbidden"]
    opened = await together.stored(answers[1:])
    assert len({answer.case.case_id for answer in opened[:5]}) == 1
    assert [answer.joined for answer in opened] == [False] * 5 + [True]
    # Whom the joined report came to is told the case as it is at the end of the transaction, too.
    assert answers[0].case == opened[5].case
    assert await together.rows("cases") == before + 2


async def test_one_key_with_two_contents_costs_no_neighbour_its_case(
    a_request, together: Together, office, app: Principal
) -> None:
    requests = [a_request(phone=f"139{number:08}", idempotency_key=f"k{number}") for number in range(6)]
    requests.insert(3, a_request(phone="13900000009", idempotency_key="k0"))
    answers = await asyncio.gather(*(office.open(each, app) for each in requests), return_exceptions=True)
    assert together.sizes == [7, *[1] * 7]
    assert [answer.code for answer in answers if isinstance(answer, Fault)] == ["idempotency_key_reused"]
    opened = await together.stored(answers)
    assert len({answer.case.case_id for answer in opened}) == await together.rows("cases") == 6


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_connection_lost_before_the_commit_loses_and_doubles_nothing(
    a_request, together: Together, office, app: Principal, lost: int
) -> None:
    together.breaks = lost
    requests = [a_request(phone=f"139{number:08}", idempotency_key=f"k{number}") for number in range(5)]
    answers = await asyncio.gather(*(office.open(each, app) for each in requests))
    assert together.sizes == [5] * (lost + 1)
    opened = await together.stored(answers)
    assert len({answer.case.case_id for answer in opened}) == 5
    assert [await together.rows(table) for table in ("cases", "case_history", "deadlines")] == [5, 5, 10]


async def test_who_gives_up_while_the_transaction_runs_finds_their_case_with_their_key(
    a_request, together: Together, office, app: Principal
) -> None:
    """A caller whose time is over is answered nothing; what was accepted stays, and neighbours notice nothing."""
    together.may_commit.clear()
    mine = a_request(phone="13900000001", idempotency_key="mine")
    impatient = asyncio.create_task(office.open(mine, app))
    neighbour = asyncio.create_task(office.open(a_request(phone="13900000002"), app))
    await together.worked.wait()
    impatient.cancel()
    together.may_commit.set()
    assert not (await neighbour).joined
    assert impatient.cancelled()
    again = await office.open(mine, app)
    assert together.sizes == [2, 1]
    assert await together.stored([again]) == [again]
    assert await together.rows("cases") == 2

"""Retention, holds, destruction by two with a certificate; the log still verifies (REC-06)."""

from datetime import UTC, datetime, timedelta

import pytest
from archive_desk import ARCHIVIST, SECOND, SUPERVISOR, as_proof
from bihuan_verify.proofs import check_entry
from hypothesis import example, given
from hypothesis import strategies as st
from records.accesses import commands as accesses
from records.files.queries import list_records
from records.files.tables import VERSIONS
from records.policy import years_after, years_before
from records.retention import commands, holds, queries
from records.retention.destruction import State
from records.retention.tables import DESTRUCTIONS
from servicekit.creation import CreationKey
from servicekit.ids import uuid7
from sqlalchemy import func, select, update
from test_log_sequence import audited

FIVE_YEARS = timedelta(days=5 * 366)


@pytest.fixture
def propose(desk):
    """Proposes the destruction of a record, or expects its refusal."""

    async def proposed(record, code=""):
        key = CreationKey(str(uuid7()), b"")
        arguments = {"reason": "保管期满", "key": key, "principal": ARCHIVIST, "policy": desk.policy}
        use_case = commands.propose_destruction, str(record.record_id)
        return await (desk.refused(code, *use_case, **arguments) if code else desk.do(*use_case, **arguments))

    return proposed


def approving(desk, who):
    return {"expected_version": 0, "principal": who, "policy": desk.policy}


async def test_rec_06_destroyed_by_two_and_the_log_still_verifies(desk, propose, a_closed_case):
    doomed, other = await desk.file(a_closed_case()), await desk.file(a_closed_case())
    request = await desk.request(doomed)
    await desk.sequence()
    await propose(doomed, "retention_running")
    desk.clock.advance(FIVE_YEARS)
    proposal = await propose(doomed)
    await desk.refused(
        "approval_own", commands.approve_destruction, proposal.destruction_id, **approving(desk, ARCHIVIST)
    )
    await desk.do(commands.approve_destruction, proposal.destruction_id, **approving(desk, SECOND))
    await desk.refused(
        "approval_twice", commands.approve_destruction, proposal.destruction_id, **approving(desk, SECOND)
    )
    destroyed = await desk.do(commands.approve_destruction, proposal.destruction_id, **approving(desk, SUPERVISOR))
    assert (destroyed.state, destroyed.approved_by) == (State.DESTROYED, ["archivist2", "supervisor"])

    async def left(tx):
        return (await tx.execute(select(VERSIONS.c.record_id))).scalars().all()

    assert await desk.do(left) == [other.record_id]
    await desk.sequence()
    proof = await desk.do(queries.prove_destruction, proposal.destruction_id, ARCHIVIST)
    certified = check_entry(as_proof(proof), desk.trusted())
    assert certified.findings == []
    assert as_proof(proof).facts["approved_by"] == "archivist2, supervisor"
    assert (await audited(desk)).findings == []
    await desk.refused("record_destroyed", accesses.request_access, doomed.record_number, **desk.asking(ARCHIVIST))
    await propose(doomed, "record_destroyed")
    # Of a request that was never decided only its clock is left.
    await desk.pass_time(timedelta(seconds=1))
    await desk.refused("record_destroyed", accesses.open_record, request.request_id, ARCHIVIST, policy=desk.policy)
    assert await desk.problems() == []


async def test_rec_06_a_hold_keeps_it_whatever_its_age(desk, propose, a_closed_case):
    record = await desk.file(a_closed_case())
    desk.clock.advance(FIVE_YEARS)
    proposal = await propose(record)
    hold = await desk.do(
        holds.place_hold, record.record_number, reason="诉讼", key=CreationKey("", b""), principal=SUPERVISOR
    )
    await propose(record, "record_on_hold")
    await desk.refused(
        "record_on_hold", commands.approve_destruction, proposal.destruction_id, **approving(desk, SECOND)
    )
    assert await destroyable(desk) == []
    await desk.do(holds.release_hold, hold.hold_id, SUPERVISOR)
    await desk.refused("transition_forbidden", holds.release_hold, hold.hold_id, SUPERVISOR)
    await desk.refused("hold_unknown", holds.release_hold, uuid7(), SUPERVISOR)
    assert await destroyable(desk) == [record.record_id]


async def test_rec_06_one_proposal_at_a_time(desk, propose, a_closed_case):
    record = await desk.file(a_closed_case())
    desk.clock.advance(FIVE_YEARS)
    proposal = await propose(record)
    await propose(record, "destruction_open")
    await desk.do(commands.reject_destruction, proposal.destruction_id, expected_version=0, principal=SECOND)
    again = await propose(record)
    for who in (SECOND, SUPERVISOR):
        await desk.do(commands.approve_destruction, again.destruction_id, **approving(desk, who))
    await desk.sequence()
    assert await desk.problems() == []

    async def hang(tx):
        await tx.execute(update(DESTRUCTIONS).values(state=State.PROPOSED))

    await desk.do(hang)
    assert await desk.problems() == ["a proposal to destroy it is still open after its destruction"]


async def destroyable(desk):
    async def read(tx):
        wanted = queries.destroyable(tx.now, desk.policy)
        found = await list_records(
            tx, SUPERVISOR, category="", region="", customer_id=None, destroyable=wanted, before=None, limit=9
        )
        return [record.record_id for record in found]

    return await desk.do(read)


async def test_rec_06_what_somebody_rejects_stays(desk, propose, a_closed_case):
    record = await desk.file(a_closed_case())
    desk.clock.advance(FIVE_YEARS)
    proposal = await propose(record)
    await desk.do(commands.reject_destruction, proposal.destruction_id, expected_version=0, principal=SECOND)
    await desk.refused(
        "transition_forbidden", commands.approve_destruction, proposal.destruction_id, **approving(desk, SUPERVISOR)
    )
    await desk.refused("transition_forbidden", queries.prove_destruction, proposal.destruction_id, ARCHIVIST)

    async def count(tx):
        return await tx.scalar(select(func.count()).select_from(VERSIONS))

    assert await desk.do(count) == 1


@example(datetime(2032, 2, 29, 0, 0, 1), 1)  # noqa: DTZ001 -- made aware below
@given(st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1)), st.integers(1, 30))  # noqa: DTZ001 -- made aware below
def test_rec_06_a_day_is_never_lost_to_a_leap_year(moment, years):
    closed = moment.replace(tzinfo=UTC)
    until = years_after(closed, years)
    assert until - closed >= timedelta(days=365 * years)
    # What the list shows may be destroyed, and what may not be is not in the list.
    assert years_before(until - timedelta(seconds=1), years) < closed
    assert closed <= years_before(until + timedelta(days=1), years)

"""先查后调、先调后用: requests, approvals by grade, timed openings, and their trace (REC-03, REC-09)."""

from datetime import timedelta

import pytest
from archive_desk import AGENT, ARCHIVIST, ELSEWHERE, SECOND, SUPERVISOR
from records.accesses import commands
from records.accesses.commands import Opened
from records.accesses.request import State
from records.files.tables import ACCESSES, RECORDS
from servicekit.identity import Principal
from sqlalchemy import select, update


@pytest.fixture
def graded(desk, a_closed_case):
    """Files a record and gives it a grade."""

    async def file(grade):
        record = await desk.file(a_closed_case())
        await desk.do(regrade(record, grade))
        return record

    return file


def regrade(record, grade):
    async def change(tx):
        await tx.execute(update(RECORDS).where(RECORDS.c.record_id == record.record_id).values(grade=grade))

    return change


@pytest.mark.parametrize(
    ("grade", "approvals", "who"),
    [("public", 0, AGENT), ("internal", 0, ARCHIVIST), ("sensitive", 1, ARCHIVIST), ("core", 2, ARCHIVIST)],
)
async def test_rec_03_as_many_others_must_agree_as_the_grade_asks(desk, graded, grade, approvals, who):
    request = await desk.request(await graded(grade), who)
    assert request.approvals_needed == approvals
    for approver in (SECOND, SUPERVISOR)[:approvals]:
        assert request.state == State.PENDING
        request = await desk.approve(request, approver)
    assert request.state == State.APPROVED
    opened = await desk.do(commands.open_record, request.request_id, who, policy=desk.policy)
    assert isinstance(opened, Opened)
    assert await desk.problems() == []


@pytest.mark.parametrize("purpose", ["", " ", "\t\n"])
async def test_rec_03_nothing_without_a_purpose(desk, a_closed_case, purpose):
    record = await desk.file(a_closed_case())
    await desk.refused(
        "purpose_required", commands.request_access, record.record_number, **desk.asking(ARCHIVIST, purpose)
    )


async def test_rec_03_roles_and_regions_decide_who_may_ask(desk, graded):
    record = await graded("sensitive")
    for who, code in ((AGENT, "grade_forbidden"), (ELSEWHERE, "domain_forbidden")):
        await desk.refused(code, commands.request_access, record.record_number, **desk.asking(who))

    async def seen(tx):
        rows = await tx.execute(select(ACCESSES.c.user_id, ACCESSES.c.outcome).order_by(ACCESSES.c.access_id))
        return [tuple(row) for row in rows]

    assert await desk.do(seen) == [("agent", "grade_forbidden"), ("supervisor.sc", "domain_forbidden")]


async def test_rec_03_nobody_approves_their_own_nor_twice_nor_elsewhere(desk, graded):
    request = await desk.request(await graded("core"))
    decide = {"expected_version": 0, "policy": desk.policy}
    for who, code in ((ARCHIVIST, "approval_own"), (ELSEWHERE, "domain_forbidden")):
        await desk.refused(code, commands.approve_access, request.request_id, principal=who, **decide)
    await desk.approve(request, SUPERVISOR)
    await desk.refused("approval_twice", commands.approve_access, request.request_id, principal=SUPERVISOR, **decide)
    stale = decide | {"expected_version": 1}
    await desk.refused("stale_version", commands.approve_access, request.request_id, principal=SECOND, **stale)
    await desk.approve(request, SECOND)
    await desk.refused("transition_forbidden", commands.approve_access, request.request_id, principal=SECOND, **decide)


async def test_rec_03_a_rejected_request_opens_nothing(desk, graded):
    request = await desk.request(await graded("sensitive"))
    rejected = await desk.do(
        commands.reject_access, request.request_id, reason="用途不明", expected_version=0, principal=SUPERVISOR
    )
    assert (rejected.state, rejected.rejected_by) == (State.REJECTED, "supervisor")
    fault = await desk.refused(
        "access_not_open", commands.open_record, request.request_id, ARCHIVIST, policy=desk.policy
    )
    assert fault.params["state"] == "rejected"
    assert await desk.problems() == []


async def test_rec_03_an_opening_ends_with_its_time(desk, graded):
    request = await desk.request(await graded("sensitive"))
    await desk.approve(request, SUPERVISOR)
    desk.clock.advance(desk.policy.opening - timedelta(seconds=1))
    assert isinstance(await desk.do(commands.open_record, request.request_id, ARCHIVIST, policy=desk.policy), Opened)
    # The moment decides, also before the clock has fired.
    desk.clock.advance(timedelta(seconds=1))
    fault = await desk.refused(
        "access_not_open", commands.open_record, request.request_id, ARCHIVIST, policy=desk.policy
    )
    assert fault.params["state"] == "expired"
    await desk.pass_time(timedelta(seconds=1))
    assert await desk.problems() == []


async def test_rec_03_what_nobody_decides_lapses(desk, graded):
    request = await desk.request(await graded("sensitive"))
    await desk.pass_time(timedelta(days=14))
    fault = await desk.refused(
        "access_not_open", commands.open_record, request.request_id, ARCHIVIST, policy=desk.policy
    )
    assert fault.params["state"] == "expired"
    assert await desk.problems() == []


async def test_rec_03_only_who_asked_opens(desk, graded):
    request = await desk.request(await graded("internal"))
    await desk.refused("not_yours", commands.open_record, request.request_id, SECOND, policy=desk.policy)
    moved = Principal("archivist", frozenset({"archivist"}), "cn.sc")
    await desk.refused("domain_forbidden", commands.open_record, request.request_id, moved, policy=desk.policy)


async def test_the_same_key_is_one_request(desk, graded):
    record = await graded("sensitive")
    asking = desk.asking(ARCHIVIST, key="once")
    requests = [await desk.do(commands.request_access, record.record_number, **asking) for _ in range(2)]
    assert requests[0].request_id == requests[1].request_id
    other = desk.asking(ARCHIVIST, "别的用途", key="once")
    await desk.refused("idempotency_key_reused", commands.request_access, record.record_number, **other)


async def test_rec_03_a_refused_request_spends_no_key(desk, graded):
    record = await graded("sensitive")
    asking = desk.asking(Principal("archivist", frozenset({"agent"}), "cn.gd"), key="once")
    await desk.refused("grade_forbidden", commands.request_access, record.record_number, **asking)
    asked = await desk.do(commands.request_access, record.record_number, **desk.asking(ARCHIVIST, key="once"))
    assert asked.state == State.PENDING


async def test_rec_03_approvals_hold_for_the_grade_that_they_were_given_for(desk, graded):
    record = await graded("sensitive")
    open_request, pending = await desk.request(record), await desk.request(record)
    await desk.approve(open_request, SUPERVISOR)
    await desk.do(regrade(record, "core"))
    opening = commands.open_record, open_request.request_id, ARCHIVIST
    await desk.refused("grade_raised", *opening, policy=desk.policy)
    approving = {"expected_version": 0, "principal": SUPERVISOR, "policy": desk.policy}
    await desk.refused("grade_raised", commands.approve_access, pending.request_id, **approving)
    # A lower grade asks for nothing more.
    await desk.do(regrade(record, "internal"))
    assert isinstance(await desk.do(*opening, policy=desk.policy), Opened)


async def test_rec_03_who_lost_the_role_opens_nothing(desk, graded):
    request = await desk.request(await graded("internal"))
    demoted = Principal("archivist", frozenset({"agent"}), "cn.gd")
    await desk.refused("grade_forbidden", commands.open_record, request.request_id, demoted, policy=desk.policy)

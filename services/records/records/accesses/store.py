"""Reading a request for a change, and storing what it has become, in one transaction with log and clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bihuan.common.v1.common_pb2 import Clock
from google.protobuf.message import Message
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.regions import lies_in
from sqlalchemy import Select, insert, or_, select, update

from records.accesses.request import AccessRequest, State
from records.accesses.tables import REQUESTS
from records.files.queries import find_record
from records.log.entries import Kind, enter
from servicekit import deadlines

# Who sees others' requests in their region.
DESK = ("archivist", "supervisor", "auditor")


@dataclass(frozen=True, slots=True)
class View:
    """A request with its clocks."""

    request: AccessRequest
    clocks: Sequence[Clock]


async def lock(tx: UnitOfWork, request_id: UUID, expected_version: int = 0) -> AccessRequest:
    """For this transaction alone. Raises Fault access_request_unknown, or stale_version unless any will do (0)."""
    request = await _one(tx, select(REQUESTS).where(REQUESTS.c.request_id == request_id).with_for_update())
    if expected_version not in {0, request.version}:
        raise Fault("stale_version")
    return request


async def find(tx: UnitOfWork, request_id: UUID) -> AccessRequest:
    """Raises Fault access_request_unknown."""
    return await _one(tx, select(REQUESTS).where(REQUESTS.c.request_id == request_id))


async def find_visible(tx: UnitOfWork, request_id: UUID, principal: Principal) -> AccessRequest:
    """One's own, or any of one's region for those who decide. Raises Fault access_request_unknown."""
    request = await find(tx, request_id)
    at_desk = principal.has(*DESK) and principal.may_see(request.region)
    if not at_desk and request.requested_by != principal.user_id:
        raise Fault("access_request_unknown")
    return request


async def list_visible(
    tx: UnitOfWork, principal: Principal, *, state: State | None, record: str, before: UUID | None, limit: int
) -> list[AccessRequest]:
    """The same as a list, newest first by id; empty filters let everything through. Raises Fault record_unknown."""
    columns = REQUESTS.c
    visible = columns.requested_by == principal.user_id
    if principal.has(*DESK):
        visible = or_(visible, lies_in(columns.region, principal.domain))
    statement = select(REQUESTS).where(visible)
    if state is not None:
        statement = statement.where(columns.state == state)
    if record:
        statement = statement.where(columns.record_id == (await find_record(tx, record)).record_id)
    if before is not None:
        statement = statement.where(columns.request_id < before)
    rows = await tx.execute(statement.order_by(columns.request_id.desc()).limit(limit))
    return [AccessRequest.model_validate(row._asdict()) for row in rows]


async def add(tx: UnitOfWork, request: AccessRequest) -> None:
    await tx.execute(insert(REQUESTS), request.model_dump())


async def save(
    tx: UnitOfWork,
    after: AccessRequest,
    event: Message,
    kind: Kind | None = None,
    **facts: str,
) -> None:
    """Stores the next version of a locked request and tells of it, with the log's entry where one is due."""
    values = after.model_dump(exclude={"request_id"})
    await tx.execute(update(REQUESTS).where(REQUESTS.c.request_id == after.request_id).values(values))
    tx.emit(event, version=after.version)
    if kind is not None:
        told = {"request_id": str(after.request_id), "record_number": after.record_number, **facts}
        await enter(tx, kind, told, record_id=after.record_id)


async def describe(tx: UnitOfWork, requests: Sequence[AccessRequest]) -> list[View]:
    """The requests with their clocks."""
    clocks = await deadlines.of(tx, [str(request.request_id) for request in requests])
    return [View(request, clocks[str(request.request_id)]) for request in requests]


async def _one(tx: UnitOfWork, statement: Select[AccessRequest]) -> AccessRequest:
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise Fault("access_request_unknown")
    return AccessRequest.model_validate(row._asdict())

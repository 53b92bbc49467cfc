"""AssignmentService (TRN-02, TRN-07)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.training.v1 import assignments_pb2, assignments_pb2_grpc
from servicekit.creation import CreationKey
from servicekit.database import Database, UnitOfWork
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from training.assignments import commands, queries
from training.assignments.assignment import State
from training.policy import Policy
from training.rpc.messages import assignment_message, attendance_of, moment_of, state_of

DEFAULT_PAGE = 50
LISTING = "assignments"

Context = grpc.aio.ServicerContext[Any, Any]


class AssignmentServicer(assignments_pb2_grpc.AssignmentServiceServicer):
    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    async def AssignCourse(
        self, request: assignments_pb2.AssignCourseRequest, context: Context
    ) -> assignments_pb2.Assignment:
        principal = caller(context)

        async def assign(tx: UnitOfWork) -> queries.View:
            assignment = await commands.assign_course(
                tx,
                course_id=UUID(request.course_id),
                person=request.person,
                reason=request.reason,
                due_at=moment_of(request, "due_at"),
                key=CreationKey.of(request),
                principal=principal,
                policy=self._policy,
            )
            return (await queries.describe(tx, [assignment]))[0]

        return assignment_message(await self._database.run("assign_course", assign))

    async def GetAssignment(
        self, request: assignments_pb2.GetAssignmentRequest, context: Context
    ) -> assignments_pb2.Assignment:
        async with self._database.transaction("get_assignment") as tx:
            view = await queries.get_assignment(tx, UUID(request.assignment_id), caller(context))
        return assignment_message(view)

    async def ListAssignments(
        self, request: assignments_pb2.ListAssignmentsRequest, context: Context
    ) -> assignments_pb2.ListAssignmentsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_assignments") as tx:
            found = await queries.list_assignments(
                tx,
                caller(context),
                person=request.person,
                state=state_of(State, assignments_pb2.AssignmentState, request.state),
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = (
            PageToken.encode(narrowed(LISTING, request), page[-1].assignment.assignment_id) if len(found) > size else ""
        )
        return assignments_pb2.ListAssignmentsResponse(
            assignments=[assignment_message(view) for view in page], next_page_token=more
        )

    async def RecordProgress(
        self, request: assignments_pb2.RecordProgressRequest, context: Context
    ) -> assignments_pb2.Assignment:
        principal = caller(context)

        async def record(tx: UnitOfWork) -> queries.View:
            assignment = await commands.record_progress(
                tx,
                UUID(request.assignment_id),
                request.units,
                expected_version=request.expected_version,
                principal=principal,
            )
            return (await queries.describe(tx, [assignment]))[0]

        return assignment_message(await self._database.run("record_progress", record))

    async def RecordAttendance(
        self, request: assignments_pb2.RecordAttendanceRequest, context: Context
    ) -> assignments_pb2.Assignment:
        principal = caller(context)

        async def record(tx: UnitOfWork) -> queries.View:
            assignment = await commands.record_attendance(
                tx,
                UUID(request.assignment_id),
                attendance_of(request.attendance),
                expected_version=request.expected_version,
                principal=principal,
            )
            return (await queries.describe(tx, [assignment]))[0]

        return assignment_message(await self._database.run("record_attendance", record))

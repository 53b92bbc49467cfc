"""CourseService (TRN-01)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.training.v1 import courses_pb2, courses_pb2_grpc
from servicekit.creation import CreationKey
from servicekit.database import Database
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from training.courses import commands, queries
from training.policy import Policy
from training.rpc.messages import course_content_of, course_message

DEFAULT_PAGE = 50
LISTING = "courses"

Context = grpc.aio.ServicerContext[Any, Any]


class CourseServicer(courses_pb2_grpc.CourseServiceServicer):
    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    async def CreateCourse(self, request: courses_pb2.CreateCourseRequest, context: Context) -> courses_pb2.Course:
        principal = caller(context)
        course = await self._database.run(
            "create_course",
            lambda tx: commands.create_course(
                tx,
                course_content_of(request.content),
                key=CreationKey.of(request),
                principal=principal,
                policy=self._policy,
            ),
        )
        return course_message(course)

    async def ReviseCourse(self, request: courses_pb2.ReviseCourseRequest, context: Context) -> courses_pb2.Course:
        principal = caller(context)
        course = await self._database.run(
            "revise_course",
            lambda tx: commands.revise_course(
                tx,
                UUID(request.course_id),
                course_content_of(request.content),
                expected_version=request.expected_version,
                principal=principal,
                policy=self._policy,
            ),
        )
        return course_message(course)

    async def GetCourse(self, request: courses_pb2.GetCourseRequest, _context: Context) -> courses_pb2.Course:
        async with self._database.transaction("get_course") as tx:
            return course_message(await queries.get_course(tx, UUID(request.course_id), request.version))

    async def ListCourses(
        self, request: courses_pb2.ListCoursesRequest, _context: Context
    ) -> courses_pb2.ListCoursesResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_courses") as tx:
            found = await queries.list_courses(
                tx,
                topic=request.topic,
                post=request.post,
                level=request.level,
                after=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(LISTING, request), page[-1].course_id) if len(found) > size else ""
        return courses_pb2.ListCoursesResponse(
            courses=[course_message(course) for course in page], next_page_token=more
        )

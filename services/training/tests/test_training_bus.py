"""Training that other services ask for over the real bus (TRN-07)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from bihuan.training.v1.commands_pb2 import AssignTraining
from servicekit.database.outgoing import OutgoingMessage
from servicekit.identity import Principal
from servicekit.messaging.consumer import Consumer
from servicekit.messaging.envelope import Envelope
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually, running
from training.assignments import commands
from training.assignments.assignment import State
from training.courses import commands as courses
from training.courses import queries
from training.courses.course import CourseContent
from training.reactions import build_reactions

LI = Principal("li", frozenset({"engineer"}), "cn.gd")


@pytest.fixture
def wanted(school):
    command = AssignTraining(
        assignment_id=str(uuid4()),
        person="agent",
        reason="complaint_about_attitude",
        source_id=str(uuid4()),
        course_topic="etiquette",
    )
    command.due_at.FromDatetime(school.clock.now() + timedelta(days=7))
    return command


async def test_asked_three_times_it_is_assigned_once_with_its_own_due_time(school, bus, nats_server, operator, wanted):
    course_id = await school.course(topic="etiquette")
    async with connect(nats_server, "records") as asker:
        row = OutgoingMessage.of(wanted, service="records", version=0, case_id="", traceparent="")
        envelope = Envelope(
            row.event_id, wanted.DESCRIPTOR.full_name, "records", row.entity_id, 0, "", school.clock.now()
        )
        connection = await asker.connected()
        for copy in range(3):
            headers = envelope.headers() | {"Nats-Msg-Id": f"{row.event_id}-{copy}"}
            await connection.acknowledged(await connection.publish(row.subject, row.body, headers))
    consumer = Consumer(school.database, bus, build_reactions(school.policy))

    async def assigned():
        return len(await school.events("assignment.assigned")) == 1

    async with running(consumer.run()):
        await eventually(assigned)
    assignment = await school.assignment(UUID(wanted.assignment_id))
    assert (assignment.course_id, assignment.source_id) == (course_id, wanted.source_id)
    assert assignment.due_at == school.clock.now() + timedelta(days=7)
    (fact,) = await school.facts()
    assert (fact.state, list(fact.running_clocks)) == ("learning", ["training_due"])


async def test_without_a_course_it_waits_for_the_first_one(school, wanted):
    await school.do(commands.assign_training, wanted, school.policy)
    assert (await school.assignment(UUID(wanted.assignment_id))).course_id is None
    course_id = await school.course(topic="etiquette")
    assignment = await school.assignment(UUID(wanted.assignment_id))
    assert (assignment.course_id, assignment.owner, assignment.state) == (course_id, "trainer", State.LEARNING)
    assert await school.problems() == []


async def test_an_unknown_topic_is_a_dead_letter_not_an_endless_wait(school, wanted):
    wanted.course_topic = "juggling"
    await school.refused("topic_unknown", commands.assign_training, wanted, school.policy)


async def test_a_course_without_an_exam_is_completed_by_learning_it(school):
    assignment_id = await school.assign(await school.course())
    await school.refused(
        "unit_unknown",
        commands.record_progress,
        assignment_id,
        ["Juggling"],
        expected_version=0,
        principal=LI,
    )
    half = await school.learn(assignment_id, ["Safety"])
    assert (half.state, half.progress_percent) == (State.LEARNING, 50)
    assert (await school.learn(assignment_id)).state == State.COMPLETED
    assert await school.problems() == []


async def test_trn_01_who_has_begun_goes_on_with_the_version_they_began(school):
    course_id = await school.course()
    assignment_id = await school.assign(course_id)
    content = CourseContent(
        title="Splicing",
        topic="network_technology",
        post="engineer",
        level="junior",
        ways=["self_study"],
        units=["New"],
    )
    revised = await school.do(
        courses.revise_course, course_id, content, expected_version=1, principal=LI, policy=school.policy
    )
    assert (revised.version, (await school.do(queries.get_course, course_id, 1)).superseded) == (2, True)
    assert (await school.learn(assignment_id)).progress_percent == 100


async def test_trn_02_a_missed_due_time_is_told_and_learning_goes_on(school):
    assignment_id = await school.assign(await school.course())
    await school.pass_time(school.policy.training_due)
    assert len(await school.events("clock.missed")) == 1
    assert await school.problems() == []
    assert (await school.learn(assignment_id)).state == State.COMPLETED

"""An exam from the assignment to the result, in a real database (TRN-02, TRN-04)."""

from datetime import timedelta

import pytest
from servicekit.creation import CreationKey
from servicekit.identity import Principal
from training.assignments.assignment import State as AssignmentState
from training.exams import planning, sitting
from training.exams.attempt import State
from training.exams.paper import Response, Section
from training.question_banks.question import Kind

WANG = Principal("wang", frozenset({"engineer"}), "cn.gd")
MARKERS = [Principal(f"examiner{number}", frozenset({"examiner"}), "cn") for number in range(3)]
ESSAY = "::why::Why do fibres break? {}\n\n::safe::Look into the fibre? {~Yes =No}"
ESSAY_PAPER = {"gift": ESSAY, "sections": [Section(kind=Kind.ESSAY, count=1, points=10)], "pass_percent": 60}


async def test_learned_passed_and_completed(school):
    exam_id, assignment_id = await school.ready()
    attempt = await school.start(exam_id)
    await school.answer(attempt.attempt_id)
    done = await school.submit(attempt.attempt_id)
    assert (done.state, done.percent, done.time_ran_out) == (State.PASSED, 100.0, False)
    assert (await school.assignment(assignment_id)).state == AssignmentState.COMPLETED
    assert len(await school.events("attempt.marked")) == len(await school.events("assignment.completed")) == 1
    assert await school.problems() == []


async def test_trn_04_who_comes_back_finds_the_same_paper_with_every_answer(school):
    exam_id, _ = await school.ready()
    attempt = await school.start(exam_id)
    (first, *_) = await school.paper(attempt.attempt_id)
    response = Response(chosen=(1,)) if first.question.kind == Kind.SINGLE else Response(number=1)
    await school.save(attempt.attempt_id, first.position, response)
    again = await school.start(exam_id)
    assert again.attempt_id == attempt.attempt_id
    assert (await school.paper(again.attempt_id))[0].response == response


async def test_answers_have_versions_and_the_same_again_changes_nothing(school):
    exam_id, _ = await school.ready(sections=[Section(kind=Kind.NUMERIC, count=1, points=5)])
    attempt_id = (await school.start(exam_id)).attempt_id
    assert (await school.save(attempt_id, 1, Response(number=1))).response_version == 1
    assert (await school.save(attempt_id, 1, Response(number=2), expected_version=1)).response_version == 2
    # The client did not hear the answer and says it again.
    assert (await school.save(attempt_id, 1, Response(number=2), expected_version=1)).response_version == 2
    save = {"expected_version": 1, "principal": Principal("li", frozenset({"engineer"}))}
    await school.refused("stale_version", sitting.save_answer, attempt_id, 1, Response(number=3), **save)
    await school.refused("position_unknown", sitting.save_answer, attempt_id, 9, Response(number=3), **save)
    await school.refused("answer_unfit", sitting.save_answer, attempt_id, 1, Response(text="one"), **save)
    await school.refused(
        "not_yours", sitting.save_answer, attempt_id, 1, Response(number=1), expected_version=0, principal=WANG
    )


async def test_when_the_time_is_over_what_was_saved_counts(school):
    exam_id, _ = await school.ready()
    attempt_id = (await school.start(exam_id)).attempt_id
    await school.answer(attempt_id)
    await school.pass_time(timedelta(minutes=30))
    attempt = await school.attempt(attempt_id)
    assert (attempt.state, attempt.time_ran_out, attempt.submitted_at) == (State.PASSED, True, attempt.due_at)
    assert await school.problems() == []


async def test_after_the_time_nothing_is_saved_also_before_the_clock_has_fired(school):
    exam_id, _ = await school.ready(sections=[Section(kind=Kind.NUMERIC, count=1, points=5)])
    attempt_id = (await school.start(exam_id)).attempt_id
    school.clock.advance(timedelta(minutes=30))
    with pytest.raises(Exception, match="exam_time_over"):
        await school.save(attempt_id, 1, Response(number=0.03))
    assert (await school.submit(attempt_id)).time_ran_out


async def test_retakes_follow_the_standards(school):
    exam_id, assignment_id = await school.ready()
    start = {"principal": Principal("li", frozenset({"engineer"})), "policy": school.policy}
    for number in range(1, school.policy.attempts + 1):
        attempt = await school.start(exam_id)
        assert attempt.number == number
        await school.answer(attempt.attempt_id, right=False)
        assert (await school.submit(attempt.attempt_id)).state == State.FAILED
        if number < school.policy.attempts:
            await school.refused("exam_retake_too_early", sitting.start_attempt, exam_id, **start)
        await school.pass_time(school.policy.retake_wait)
    await school.refused("exam_attempts_used", sitting.start_attempt, exam_id, **start)
    assert (await school.assignment(assignment_id)).state == AssignmentState.LEARNED
    assert await school.problems() == []


async def test_no_exam_without_an_assignment_or_before_it_is_learned(school):
    course_id = await school.course()
    exam_id = await school.exam(course_id)
    start = {"principal": Principal("li", frozenset({"engineer"})), "policy": school.policy}
    await school.refused("assignment_unknown", sitting.start_attempt, exam_id, **start)
    await school.assign(course_id)
    await school.refused("training_not_learned", sitting.start_attempt, exam_id, **start)


async def test_an_essay_is_marked_by_two_who_agree(school):
    exam_id, _ = await school.ready(**ESSAY_PAPER)
    attempt_id = (await school.start(exam_id)).attempt_id
    await school.save(attempt_id, 1, Response(text="弯曲半径过小"))
    assert (await school.submit(attempt_id)).state == State.MARKING
    assert (await school.mark(attempt_id, 1, 8, MARKERS[0])).state == State.MARKING
    # The same view said twice is one view.
    assert (await school.mark(attempt_id, 1, 8, MARKERS[0])).state == State.MARKING
    done = await school.mark(attempt_id, 1, 7, MARKERS[1])
    assert (done.state, done.percent) == (State.PASSED, 75.0)
    assert await school.problems() == []


async def test_two_who_are_far_apart_need_a_third(school):
    exam_id, _ = await school.ready(**ESSAY_PAPER)
    attempt_id = (await school.start(exam_id)).attempt_id
    await school.save(attempt_id, 1, Response(text="bent"))
    await school.submit(attempt_id)
    await school.mark(attempt_id, 1, 9, MARKERS[0])
    assert (await school.mark(attempt_id, 1, 2, MARKERS[1])).state == State.MARKING
    assert (await school.mark(attempt_id, 1, 4, MARKERS[2])).percent == 40.0


async def test_nobody_marks_twice_or_their_own_work(school):
    exam_id, _ = await school.ready(**ESSAY_PAPER)
    attempt_id = (await school.start(exam_id)).attempt_id
    await school.save(attempt_id, 1, Response(text="bent"))
    await school.submit(attempt_id)
    await school.mark(attempt_id, 1, 9, MARKERS[0])
    for code, points, principal in (
        ("mark_given", 3, MARKERS[0]),
        ("mark_too_high", 11, MARKERS[1]),
        ("own_work", 10, Principal("li", frozenset({"trainer"}))),
    ):
        with pytest.raises(Exception, match=code):
            await school.mark(attempt_id, 1, points, principal)


async def test_an_essay_nobody_wrote_needs_no_marker(school):
    exam_id, _ = await school.ready(**ESSAY_PAPER)
    attempt_id = (await school.start(exam_id)).attempt_id
    assert (await school.submit(attempt_id)).state == State.FAILED


async def test_a_blueprint_that_the_bank_can_t_fill_is_refused(school):
    course_id, bank_id = await school.course(), await school.bank()
    fault = await school.refused(
        "bank_too_small",
        planning.create_exam,
        title="x",
        course_id=course_id,
        bank_id=bank_id,
        blueprint=[Section(kind=Kind.SINGLE, count=2, points=1)],
        time_limit_minutes=0,
        pass_percent=0,
        skill="",
        level="",
        certificate_days=0,
        key=CreationKey("", b""),
        principal=WANG,
        policy=school.policy,
    )
    assert fault.params["found"] == "1"

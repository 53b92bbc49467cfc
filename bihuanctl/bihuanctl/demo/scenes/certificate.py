"""A new engineer learns, is examined and certified, is sent, and is no longer sent (TRN-01 to TRN-05, DSP-02)."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import Any, Final

from bihuanctl.demo.gateway import Json
from bihuanctl.demo.scenes.ordinary import finish, visit
from bihuanctl.demo.scenes.stage import Stage

# Of the crew only the engineer of the headquarters goes there, and is off shift while the scene begins.
REGION: Final = "cn.gd"
SKILL: Final = "fiber_splicing"
NEWCOMER: Final = "trainee"
COLLEAGUE: Final = "engineer8"
MARKERS: Final = ("examiner", "examiner2")
BLUEPRINT: Final = [
    {"kind": f"QUESTION_KIND_{kind}", "count": 1, "points": points}
    for kind, points in (("SINGLE", 2), ("TRUE_FALSE", 1), ("NUMERIC", 2), ("ORDERING", 4), ("ESSAY", 5))
]
STEPS: Final = ["strip", "clean", "cleave", "splice"]


async def play(stage: Stage) -> None:
    newcomer, colleague = await _engineer(stage, NEWCOMER), await _engineer(stage, COLLEAGUE)
    await _set_shift(stage, newcomer, on_shift=True)
    await _set_shift(stage, colleague, on_shift=False)
    case = await _ask_for_visit(stage)
    stage.say("waits")
    exam = await _make_exam(stage)
    await _learn(stage, exam["course_id"])
    attempt = await _pass(stage, exam["exam_id"])
    number = attempt["certificate_number"]
    shown = await stage.gateway.get(None, f"/v1/certificates/{number}:verify")
    stage.prove(shown["valid"] and shown["person"] == NEWCOMER, "verified", number=number)

    async def order_of(engineer: Json) -> Json | None:
        order = await stage.see("auditor", f"/v1/work-orders/{case['work_order_id']}")
        return order if order["engineer_id"] == engineer["engineer_id"] else None

    await stage.until(lambda: order_of(newcomer), stage.line("never_assigned"))
    stage.say("assigned")
    await _set_shift(stage, colleague, on_shift=True)
    await stage.advance(timedelta(days=1))
    await stage.until(lambda: order_of(colleague), stage.line("never_withdrawn"))
    stage.say("withdrawn", engineer=colleague["display_name"])
    await _set_shift(stage, newcomer, on_shift=False)
    await visit(stage, case["work_order_id"])
    await finish(stage, case["case_id"])


async def _engineer(stage: Stage, user: str) -> Json:
    """The entry of `user` in dispatch; whoever has none yet gets one without any qualification."""
    dispatcher = stage.cast.dispatcher
    async for engineer in stage.gateway.pages(dispatcher, "/v1/engineers", "engineers"):
        if engineer["user_id"] == user:
            return engineer
    entry = {"display_name": "HQ-0002", "user_id": user, "territory": "cn", "qualifications": []}
    return await stage.do(dispatcher.name, "/v1/engineers", entry)


async def _set_shift(stage: Stage, engineer: Json, *, on_shift: bool) -> None:
    path = f"/v1/engineers/{engineer['engineer_id']}:setShift"
    await stage.do(stage.cast.dispatcher.name, path, {"on_shift": on_shift})


async def _ask_for_visit(stage: Stage) -> Json:
    """A fault that needs the skill; gives the case with its work order."""
    case = await stage.report(REGION, stage.line("subject"), stage.line("description"))
    verdict = {"classification": case["proposed"]["classification"], "needs_visit": True}
    path = f"/v1/cases/{case['case_id']}:assess"
    return await stage.do("duty", path, verdict | {"skill": SKILL, "level": "junior"}, version=int(case["version"]))


async def _make_exam(stage: Stage) -> Json:
    """A course, a question bank from a GIFT file, and an exam whose certificate is valid for a day."""
    content = {
        "title": stage.line("course"),
        "topic": "network_technology",
        "post": "engineer",
        "level": "junior",
        "ways": ["LEARNING_WAY_SELF_STUDY"],
        "units": [stage.line("unit_safety"), stage.line("unit_splicing")],
    }
    course = await stage.do("trainer", "/v1/courses", {"content": content})
    bank = await stage.do("trainer", "/v1/question-banks", {"name": stage.line("course"), "topic": content["topic"]})
    gift = files(__package__).joinpath("certificate.gift").read_text(encoding="utf-8")
    path = f"/v1/question-banks/{bank['bank_id']}:import"
    imported = await stage.do("trainer", path, {"gift": gift}, version=int(bank["version"]))
    stage.say("imported", count=imported["added"])
    exam = {
        "title": stage.line("course"),
        "course_id": course["course_id"],
        "bank_id": bank["bank_id"],
        "blueprint": BLUEPRINT,
        "skill": SKILL,
        "level": "junior",
        "certificate_days": 1,
    }
    return await stage.do("trainer", "/v1/exams", exam)


async def _learn(stage: Stage, course_id: str) -> None:
    wanted = {"course_id": course_id, "person": NEWCOMER, "reason": stage.line("reason")}
    assignment = await stage.do("trainer", "/v1/training-assignments", wanted)
    path = f"/v1/training-assignments/{assignment['assignment_id']}:recordProgress"
    units = {"units": [stage.line("unit_safety"), stage.line("unit_splicing")]}
    learned = await stage.do(NEWCOMER, path, units, version=int(assignment["version"]))
    stage.say("learned", percent=learned["progress_percent"])


async def _pass(stage: Stage, exam_id: str) -> Json:
    """The newcomer answers question by question and hands in; the examiners agree. Gives the attempt."""
    attempt = await stage.do(NEWCOMER, "/v1/exam-attempts", {"exam_id": exam_id})
    path = f"/v1/exam-attempts/{attempt['attempt_id']}"
    for asked in attempt["questions"]:
        answer = {"position": asked["position"], "response": _right_response(stage, asked)}
        await stage.do(NEWCOMER, f"{path}:saveAnswer", answer)
    await stage.do(NEWCOMER, f"{path}:submit")
    for asked in (await stage.see(MARKERS[0], path))["questions"]:
        if asked["kind"] == "QUESTION_KIND_ESSAY":
            for marker in MARKERS:
                mark = {"position": asked["position"], "points": 5, "comment": stage.line("mark")}
                await stage.do(marker, f"{path}:mark", mark)

    async def marked() -> Json | None:
        seen = await stage.see(NEWCOMER, path)
        return seen if seen["certificate_number"] else None

    done = await stage.until(marked, stage.line("never_marked"))
    stage.say("passed", percent=done["percent"], answers=len(attempt["questions"]))
    return done


def _right_response(stage: Stage, asked: Json) -> dict[str, Any]:
    """What somebody who has learned it answers; the questions are those of the GIFT file."""
    choices = asked["choices"]
    match asked["kind"].removeprefix("QUESTION_KIND_"):
        case "SINGLE":
            return {"chosen": [choices.index("No") + 1]}
        case "TRUE_FALSE":
            return {"truth": True}
        case "NUMERIC":
            return {"number": 0.03}
        case "ORDERING":
            return {"chosen": [choices.index(step) + 1 for step in STEPS]}
    return {"text": stage.line("essay")}

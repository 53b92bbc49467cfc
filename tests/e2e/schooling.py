"""The people of the training stories: trainer, candidate and examiners, acting through the gateway."""

from __future__ import annotations

from typing import Any

from acting import Cast

TRAINER = "trainer"
CANDIDATE = "trainee"
MARKERS = ("examiner", "examiner2")
UNITS = ["Laser safety", "Cleaving", "Fusion splicing"]
GIFT = """// Fibre splicing, junior
$CATEGORY: fibre/safety

::laser::May one look into a live fibre? {~Yes =No}

::fragments::裸纤碎屑应放入专用容器。{TRUE}

$CATEGORY: fibre/splicing

::loss::Most dB that a good fusion splice loses? {#0.05:0.05}

::tool::Which tool cuts the fibre? {=cleaver =fibre cleaver =切割刀}

::needed::What is needed for a splice? {~%50%fusion splicer ~%50%cleaver ~%-100%hammer}

::match::Which colour is which fibre? {=first -> blue =second -> orange =third -> green}

::order::Put the steps into order. {>
strip
clean
cleave
splice
}

::why::Why must the fibre be clean before it is spliced? {}
"""
BLUEPRINT = [
    {"kind": "QUESTION_KIND_SINGLE", "category": "fibre/safety", "count": 1, "points": 2},
    {"kind": "QUESTION_KIND_TRUE_FALSE", "count": 1, "points": 1},
    {"kind": "QUESTION_KIND_NUMERIC", "category": "fibre", "count": 1, "points": 2},
    {"kind": "QUESTION_KIND_SHORT_ANSWER", "count": 1, "points": 1},
    {"kind": "QUESTION_KIND_MULTIPLE", "count": 1, "points": 2},
    {"kind": "QUESTION_KIND_MATCHING", "count": 1, "points": 3},
    {"kind": "QUESTION_KIND_ORDERING", "count": 1, "points": 4},
    {"kind": "QUESTION_KIND_ESSAY", "count": 1, "points": 5},
]
COLOURS = {"first": "blue", "second": "orange", "third": "green"}
STEPS = ["strip", "clean", "cleave", "splice"]


def make_bank(cast: Cast, name: str = "Fibre splicing") -> Any:
    """An empty question bank."""
    return cast.do(TRAINER, "/v1/question-banks", {"name": name, "topic": "network_technology"})


def make_exam(cast: Cast, **facts: Any) -> Any:
    """A course, a bank filled from a GIFT file, and an exam that certifies the skill of the cast's place."""
    content = {
        "title": "Fibre splicing",
        "topic": "network_technology",
        "post": "engineer",
        "level": "junior",
        "ways": ["LEARNING_WAY_SELF_STUDY", "LEARNING_WAY_PRACTICE"],
        "units": UNITS,
    }
    course = cast.do(TRAINER, "/v1/courses", {"content": content})
    bank = make_bank(cast)
    path = f"/v1/question-banks/{bank['bank_id']}:import"
    imported = cast.do(TRAINER, path, {"gift": GIFT}, version=bank["version"])
    assert (imported["added"], imported["bank"]["question_count"]) == (8, 8)
    return cast.do(
        TRAINER,
        "/v1/exams",
        {
            "title": "Fibre splicing, junior",
            "course_id": course["course_id"],
            "bank_id": bank["bank_id"],
            "blueprint": BLUEPRINT,
            "skill": cast.place.skill,
            "level": "junior",
            **facts,
        },
    )


def learn(cast: Cast, course_id: str) -> Any:
    """The candidate is assigned the course, reads it and is there at the practice; gives the assignment."""
    wanted = {"course_id": course_id, "person": CANDIDATE, "reason": "plan for new engineers"}
    assignment = cast.do(TRAINER, "/v1/training-assignments", wanted)
    path = f"/v1/training-assignments/{assignment['assignment_id']}"
    half = cast.do(CANDIDATE, f"{path}:recordProgress", {"units": UNITS[:1]}, version=1)
    assert (half["state"], half["progress_percent"]) == ("ASSIGNMENT_STATE_LEARNING", 33)
    cast.do(CANDIDATE, f"{path}:recordProgress", {"units": UNITS}, version=half["version"])
    attended = {"session": "Workshop", "way": "LEARNING_WAY_PRACTICE", "attended": True}
    return cast.do(TRAINER, f"{path}:recordAttendance", {"attendance": attended})


def right_response(asked: Any) -> dict[str, Any]:
    """What somebody who has learned it answers to a question of the paper."""
    choices = asked["choices"]

    def numbers(*texts: str) -> dict[str, Any]:
        return {"chosen": [choices.index(text) + 1 for text in texts]}

    match asked["kind"].removeprefix("QUESTION_KIND_"):
        case "SINGLE":
            return numbers("No")
        case "TRUE_FALSE":
            return {"truth": True}
        case "NUMERIC":
            return {"number": 0.03}
        case "SHORT_ANSWER":
            return {"text": " Fibre  Cleaver"}
        case "MULTIPLE":
            return numbers("cleaver", "fusion splicer")
        case "MATCHING":
            return numbers(*(COLOURS[prompt] for prompt in asked["prompts"]))
        case "ORDERING":
            return numbers(*STEPS)
    return {"text": "灰尘会使接头损耗变大。"}


def save(cast: Cast, attempt_id: str, asked: Any) -> Any:
    """Saves the right answer to a question of the paper."""
    body = {"position": asked["position"], "response": right_response(asked)}
    return cast.do(CANDIDATE, f"/v1/exam-attempts/{attempt_id}:saveAnswer", body)


def pass_exam(cast: Cast, exam_id: str) -> Any:
    """The candidate sits the exam without trouble and passes; gives the attempt."""
    attempt = cast.do(CANDIDATE, "/v1/exam-attempts", {"exam_id": exam_id})
    for asked in attempt["questions"]:
        save(cast, attempt["attempt_id"], asked)
    cast.do(CANDIDATE, f"/v1/exam-attempts/{attempt['attempt_id']}:submit", {})
    return mark_essays(cast, attempt["attempt_id"])


def mark_essays(cast: Cast, attempt_id: str) -> Any:
    """Two examiners agree on every essay; gives the attempt with its result."""
    path = f"/v1/exam-attempts/{attempt_id}"
    for asked in cast.get(MARKERS[0], path)["questions"]:
        if asked["kind"] == "QUESTION_KIND_ESSAY":
            for marker, points in zip(MARKERS, (5, 4.5), strict=True):
                cast.do(marker, f"{path}:mark", {"position": asked["position"], "points": points, "comment": "好"})
    return cast.get(CANDIDATE, path)

"""From the course to the certificate that lets an engineer be sent, and what its end does (TRN-01..05, DSP-02)."""

from __future__ import annotations

from typing import Any

import httpx
import jwt
import pytest
from acting import DISPATCHER, Cast
from schooling import CANDIDATE, learn, make_exam, mark_essays, pass_exam, save

pytestmark = pytest.mark.e2e


@pytest.fixture
def public(platform: Any) -> Any:
    """Somebody without any token."""
    with httpx.Client(base_url=platform.gateway_url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def trainee(cast: Cast) -> Any:
    """The candidate's entry in dispatch: on shift, and qualified for nothing yet. Moved to this test's place."""
    answer = cast.ask(
        DISPATCHER,
        "/v1/engineers",
        {"display_name": "GZ-0900", "user_id": CANDIDATE, "territory": "cn", "qualifications": []},
        key="the trainee of the stories",
    )
    assert answer.is_success, answer.text
    engineer = answer.json()
    cast.do(DISPATCHER, f"/v1/engineers/{engineer['engineer_id']}:setShift", {"on_shift": True})
    yield engineer
    cast.do(DISPATCHER, f"/v1/engineers/{engineer['engineer_id']}:setShift", {"on_shift": False})


def test_trn_05_learned_examined_certified_sent_and_no_longer_sent(
    platform: Any, cast: Cast, public: httpx.Client, trainee: Any
) -> None:
    exam = make_exam(cast, certificate_days=1)
    assignment = learn(cast, exam["course_id"])
    assert assignment["state"] == "ASSIGNMENT_STATE_LEARNED"

    # Work of the skill waits, because nobody is qualified.
    story = cast.report()
    story.assess(visit=True)
    # Other stories share the platform and may have left qualified people there, all off shift.
    assert story.until_order("waiting")["assignment_reasons"][0] in {"no_qualified_engineer", "none_on_shift"}

    attempt_id = sit_through_kills(platform, cast, exam["exam_id"])
    attempt = mark_essays(cast, attempt_id)
    assert (attempt["state"], attempt["percent"]) == ("ATTEMPT_STATE_PASSED", 98.75)
    path = f"/v1/training-assignments/{assignment['assignment_id']}"
    assert cast.get(CANDIDATE, path)["state"] == "ASSIGNMENT_STATE_COMPLETED"

    number = attempt["certificate_number"]
    shown = verify(public, number)
    assert (shown["valid"], shown["person"], shown["skill"]) == (True, CANDIDATE, cast.place.skill)
    verify_offline(public, shown)

    # Dispatch has heard of it.
    order = story.until_order("assigned")
    assert order["engineer_id"] == trainee["engineer_id"]
    story.visit_step("accept")
    other = cast.engineer()

    platform.advance("1d")
    platform.eventually(lambda: not verify(public, number)["valid"], "the certificate never expired")
    order = story.until_order("assigned")
    assert (order["engineer_id"], order["reassigned_times"]) == (other.engineer_id, 1)
    assert verify(public, number)["state"] == "CERTIFICATE_STATE_EXPIRED"
    story.visit()
    story.finish()
    platform.assert_nothing_fell_out()


def sit_through_kills(platform: Any, cast: Cast, exam_id: str) -> str:
    """The candidate answers one by one; training is killed twice on the way, and nothing is lost."""
    attempt = cast.do(CANDIDATE, "/v1/exam-attempts", {"exam_id": exam_id})
    attempt_id = attempt["attempt_id"]
    saved = {}
    for asked in attempt["questions"]:
        if asked["position"] in (3, 6):
            platform.kill("training")
            look_again(platform, cast, f"/v1/exam-attempts/{attempt_id}")
        saved[asked["position"]] = save(cast, attempt_id, asked)["version"]
    # Whoever comes back begins where they stopped.
    again = cast.do(CANDIDATE, "/v1/exam-attempts", {"exam_id": exam_id})
    assert again["attempt_id"] == attempt_id
    assert {asked["position"]: asked["response_version"] for asked in again["questions"]} == saved
    assert set(saved.values()) == {1}
    handed_in = cast.do(CANDIDATE, f"/v1/exam-attempts/{attempt_id}:submit", {})
    assert handed_in["state"] == "ATTEMPT_STATE_MARKING"
    return str(attempt_id)


def look_again(platform: Any, cast: Cast, path: str) -> Any:
    """What the candidate sees, as soon as training answers again: right after a kill, nobody is there for a moment."""

    def seen() -> Any:
        answer = cast.ask(CANDIDATE, path)
        assert answer.status_code in {200, 503, 504}, answer.text
        return answer.json() if answer.is_success else None

    return platform.eventually(seen, "training never came back", 60)


def verify(public: httpx.Client, number: str) -> Any:
    answer = public.get(f"/v1/certificates/{number}:verify")
    assert answer.status_code == 200, answer.text
    return answer.json()


def verify_offline(public: httpx.Client, shown: Any) -> None:
    """With nothing but the published keys and the signed certificate."""
    keys = public.get("/v1/certificate-keys").json()
    kid = jwt.get_unverified_header(shown["signed"])["kid"]
    key = next(key for key in keys["keys"] if key["kid"] == kid)
    claims = jwt.decode(
        shown["signed"], jwt.PyJWK(key).key, algorithms=["EdDSA"], options={"verify_exp": False, "verify_iat": False}
    )
    assert (claims["jti"], claims["sub"], claims["level"]) == (shown["number"], CANDIDATE, "junior")


def test_trn_05_a_revoked_certificate_takes_planned_work_away_at_once(
    platform: Any, cast: Cast, public: httpx.Client, trainee: Any
) -> None:
    exam = make_exam(cast)
    learn(cast, exam["course_id"])
    number = pass_exam(cast, exam["exam_id"])["certificate_number"]
    story = cast.report()
    story.assess(visit=True)
    assert story.until_order("assigned")["engineer_id"] == trainee["engineer_id"]
    other = cast.engineer()
    cast.do("examiner", f"/v1/certificates/{number}:revoke", {"reason": "somebody else sat the exam"}, version=1)

    def moved() -> bool:
        return bool(story.order()["engineer_id"] == other.engineer_id)

    platform.eventually(moved, "the work stayed where it was")
    assert verify(public, number)["state"] == "CERTIFICATE_STATE_REVOKED"
    story.visit()
    story.finish()
    platform.assert_nothing_fell_out()


def test_trn_05_a_forged_certificate_is_refused(platform: Any, cast: Cast, public: httpx.Client) -> None:
    exam = make_exam(cast)
    learn(cast, exam["course_id"])
    number = pass_exam(cast, exam["exam_id"])["certificate_number"]
    signed = verify(public, number)["signed"]
    genuine = public.post("/v1/certificates:verify", json={"signed": signed})
    assert (genuine.status_code, genuine.json()["valid"]) == (200, True)
    head, claims, signature = signed.split(".")
    for forged in (f"{head}.{claims[:-2]}AA.{signature}", f"{head}.{claims}.{signature[::-1]}", "x"):
        answer = public.post("/v1/certificates:verify", json={"signed": forged}, headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.json()["code"]) == (400, "certificate_forged"), answer.text
    wrong_digit = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert public.get(f"/v1/certificates/{wrong_digit}:verify").json()["code"] == "case_number_invalid"
    # Only the desk sees more of it than everybody.
    assert public.get(f"/v1/certificates/{number}").status_code == 401
    assert cast.ask("engineer2", f"/v1/certificates/{number}").json()["code"] == "not_yours"
    platform.assert_nothing_fell_out()


def test_trn_04_the_clock_hands_in_what_was_saved(platform: Any, cast: Cast) -> None:
    exam = make_exam(cast, time_limit_minutes=20, pass_percent=90)
    learn(cast, exam["course_id"])
    attempt = cast.do(CANDIDATE, "/v1/exam-attempts", {"exam_id": exam["exam_id"]})
    save(cast, attempt["attempt_id"], attempt["questions"][0])
    # Nobody is there when the time is over.
    platform.stop("training")
    platform.advance("20m")
    platform.start("training")
    path = f"/v1/exam-attempts/{attempt['attempt_id']}"
    look_again(platform, cast, path)
    platform.eventually(lambda: cast.get(CANDIDATE, path)["state"] == "ATTEMPT_STATE_FAILED", "it never ended")
    done = cast.get(CANDIDATE, path)
    assert (done["time_ran_out"], done["score"]) == (True, 2)
    late = cast.ask(CANDIDATE, f"{path}:saveAnswer", {"position": 2, "response": {"truth": True}})
    assert late.json()["code"] == "transition_forbidden"
    again = cast.ask(CANDIDATE, "/v1/exam-attempts", {"exam_id": exam["exam_id"]})
    assert again.json()["code"] == "exam_retake_too_early"
    platform.assert_nothing_fell_out()

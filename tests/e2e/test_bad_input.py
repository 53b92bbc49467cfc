"""Bad input through the real gateway: a clear problem in the caller's language, nothing stored, never a 500."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from acting import APP, DESK, Cast, Place, Story
from bustraffic import published
from servicekit.casenumbers import issue

pytestmark = pytest.mark.e2e

LANGUAGES = ("zh-CN", "en")
VERDICT = {"classification": {"kind": "fault_repair", "category": "internet_access", "urgency": "high"}}


@dataclass(frozen=True)
class Setting:
    """An open case that all bad requests are about, and what it was like before them."""

    cast: Cast
    story: Story
    before: Any


@pytest.fixture(scope="module")
def setting(platform) -> Iterator[Setting]:
    """Whatever the tests of this module send, nothing of it is stored."""
    cast = Cast(platform, Place("cn.gd.gz.yuexiu", "broadband_repair"))
    story = cast.report()
    stored = platform.assert_nothing_fell_out()
    told = told_by_intake(platform)
    setting = Setting(cast, story, story.look())
    yield setting
    after = platform.assert_nothing_fell_out()
    assert sum(after["entities"]["case"].values()) == sum(stored["entities"]["case"].values())
    # Clocks of other stories' cases may have gone on meanwhile.
    others = {message["case_id"] for message in told.values()} - {story.case_id, ""}
    news = [message for event_id, message in told_by_intake(platform).items() if event_id not in told]
    assert [message for message in news if message["case_id"] not in others] == []
    assert story.look() == setting.before
    assert story.happened() == ["case_opened"]


def told_by_intake(platform: Any) -> dict[str, Any]:
    """Every event that intake has told of and every command that it has given, by their ids."""
    messages = published(platform) + published(platform, commands=True)
    return {message["event_id"]: message for message in messages if message["source"] == "intake"}


def assert_problem(answer: httpx.Response, status: int, code: str, language: str, field: str | None = None) -> Any:
    """A problem document (RFC 9457) with code, field and next step in `language`."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == language
    problem = answer.json()
    assert (problem["status"], problem["code"], problem.get("field")) == (status, code, field)
    for text in ("title", "detail", "next_step"):
        assert problem[text]
        assert _is_chinese(problem[text]) == (language == "zh-CN"), problem[text]
    assert "Traceback" not in answer.text
    return problem


# What is wrong with a request to open a case: changed fields, status, code, field.
BAD_REPORTS = {
    "unknown kind": ({"kind": "teleportation"}, 400, "kind_unknown", "kind"),
    "unknown category": ({"category": "smoke_signals"}, 400, "category_unknown", "category"),
    "unknown channel": ({"channel": "pigeon"}, 400, "channel_unknown", "channel"),
    "unknown region": ({"region": "cn.gd.atlantis"}, 400, "region_unknown", "region"),
    "text too long": ({"description": "很" * 10_001}, 400, "invalid_argument", "description"),
    "no subject": ({"subject": ""}, 400, "invalid_argument", "subject"),
    "wrong phone": ({"caller": {"phone": "call me"}}, 400, "invalid_argument", "caller.phone"),
    "unknown field": ({"colour": "red"}, 400, "field_unknown", "colour"),
    "wrong type": ({"subject": 7}, 400, "field_type_wrong", "subject"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", BAD_REPORTS)
def test_a_bad_report_is_refused_by_field(setting: Setting, case: str, language: str) -> None:
    changes, status, code, field = BAD_REPORTS[case]
    answer = setting.cast.ask(APP, "/v1/cases", setting.cast.request(**changes), language=language)
    assert_problem(answer, status, code, language, field)


@pytest.mark.parametrize("language", LANGUAGES)
def test_malformed_json_names_the_place(setting: Setting, language: str) -> None:
    client = setting.cast.platform.client(APP, language)
    answer = client.post("/v1/cases", content=b'{"subject": ', headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, "malformed_json", language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", ["garbage", "expired", "forged", "none"])
def test_a_wrong_token_opens_nothing(setting: Setting, what: str, language: str) -> None:
    platform = setting.cast.platform
    key = (platform.home / "issuer" / "signing_key.pem").read_bytes()
    good = platform.token(APP)
    head, payload, signature = good.split(".")
    old = jwt.decode(good, options={"verify_signature": False}) | {"exp": int(time.time()) - 60}
    kid = {"kid": jwt.get_unverified_header(good)["kid"], "typ": "at+jwt"}
    token, code = {
        "garbage": ("not.a.token", "token_invalid"),
        "expired": (jwt.encode(old, key, "ES256", headers=kid), "token_expired"),
        "forged": (f"{head}.{payload}.{signature[::-1]}", "token_invalid"),
        "none": ("", "unauthenticated"),
    }[what]
    headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {token}"} if token else {})
    url = f"{platform.gateway_url}/v1/cases"
    answer = httpx.post(url, json=setting.cast.request(), headers=headers, timeout=30, trust_env=False)
    assert_problem(answer, 401, code, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_foreign_domain_and_a_foreign_role_are_refused(setting: Setting, language: str) -> None:
    cast, case_id = setting.cast, setting.story.case_id
    path, body = f"/v1/cases/{case_id}:assess", {**VERDICT, "needs_visit": False}
    assert_problem(cast.ask("outsider", path, body, language=language), 403, "domain_forbidden", language)
    opening = cast.ask("outsider", "/v1/cases", cast.request(channel="hotline"), language=language)
    assert opening.json()["code"] == "domain_forbidden"
    assert_problem(cast.ask("engineer1", path, body, language=language), 403, "role_forbidden", language)
    hidden = cast.ask("customer", f"/v1/cases/{case_id}", language=language)
    assert_problem(hidden, 404, "case_unknown", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stale_version_is_refused(setting: Setting, language: str) -> None:
    path, body = f"/v1/cases/{setting.story.case_id}:assess", {**VERDICT, "needs_visit": False}
    answer = setting.cast.ask(DESK, path, body, version=99, language=language)
    assert_problem(answer, 412, "stale_version", language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("startHandling", {}),
        ("deliver", {"result": "done"}),
        ("confirm", {"solved": True}),
        ("followUp", {"note": "fine", "reached": True}),
        ("answerSurvey", {"score": 5}),
        ("resume", {}),
    ],
)
def test_a_forbidden_transition_is_refused(setting: Setting, verb: str, body: Any, language: str) -> None:
    answer = setting.cast.ask(DESK, f"/v1/cases/{setting.story.case_id}:{verb}", body, language=language)
    assert_problem(answer, 409, "transition_forbidden", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_word_of_the_assessor_is_refused(setting: Setting, language: str) -> None:
    path = f"/v1/cases/{setting.story.case_id}:assess"
    for field, code in (("kind", "kind_unknown"), ("category", "category_unknown")):
        wrong = {"classification": VERDICT["classification"] | {field: "teleportation"}}
        answer = setting.cast.ask(DESK, path, wrong, language=language)
        assert_problem(answer, 400, code, language, f"classification.{field}")
    unknown_skill = {**VERDICT, "needs_visit": True, "skill": "juggling", "level": "junior"}
    assert_problem(
        setting.cast.ask(DESK, path, unknown_skill, language=language), 400, "skill_unknown", language, "skill"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_case_number_and_a_wrong_check_digit_are_told_apart(setting: Setting, language: str) -> None:
    cast, number = setting.cast, setting.story.number
    unknown = issue("", setting.cast.platform.now().date(), 87_654_321)
    assert_problem(cast.ask(DESK, f"/v1/cases/{unknown}", language=language), 404, "case_unknown", language)
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    answer = cast.ask(DESK, f"/v1/cases/{wrong}", language=language)
    assert_problem(answer, 400, "case_number_invalid", language, "case")
    spoken = number.replace("-", " ")
    assert cast.ask(DESK, f"/v1/cases/{spoken}").json()["case_number"] == number


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_path_is_a_problem_too(setting: Setting, language: str) -> None:
    assert_problem(setting.cast.ask(DESK, "/v1/wishes", language=language), 404, "not_found", language)


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)

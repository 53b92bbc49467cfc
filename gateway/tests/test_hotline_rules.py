"""The hotline's parts: who may come in, the sealed state, numbers, texts, long lists (GWY-02)."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from string import Formatter
from xml.etree.ElementTree import Element, SubElement, fromstring

import gateway.hotline
import pytest
from cryptography.fernet import Fernet
from gateway.hotline.call import Call
from gateway.hotline.dialogue import STEPS
from gateway.hotline.numbers import caller_number
from gateway.hotline.state import State, StateSeal
from gateway.hotline.steps import report
from gateway.hotline.steps.choices import Choice, ask_choice, choice_of, next_offset, wants_more
from gateway.hotline.voicexml import document, say, serialised
from gateway.hotline.wording import Line as SpokenLine
from gateway.hotline.wording import faults, texts, told
from hotlinedesk import VXML, Desk, Line, said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servicekit.errors import Fault

from standards import load

SEAL = StateSeal(Fernet(Fernet.generate_key()))
MOBILE = st.from_regex(r"\+?[0-9]{5,15}", fullmatch=True)


# --- who may come in


async def test_a_platform_signs_in_by_basic_like_a_channel(
    line: Line, desk: tuple[Desk, str], issuer_dir: Path
) -> None:
    secret = json.loads((issuer_dir / "credentials.json").read_text())["clients"]["channel-hotline"]
    line.headers = _basic("channel-hotline", secret)
    assert "Welcome" in said(await line.dial("tel:13800138000"))


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "unauthenticated"),
        ({"Authorization": "Basic !!!"}, 401, "sign_in_refused"),
        ({"Authorization": "Bearer nonsense"}, 401, "token_invalid"),
    ],
)
async def test_a_stranger_is_told_by_status_how_to_come_in(line: Line, headers, status, code) -> None:
    """No caller hears this: it is for whoever set up the platform."""
    answer = await line.http.get("/hotline", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert {each.partition(" ")[0] for each in answer.headers.get_list("www-authenticate")} == {"Basic", "Bearer"}


async def test_a_wrong_secret_and_a_person_are_refused(line: Line, bearer) -> None:
    assert (await line.http.get("/hotline", headers=_basic("channel-hotline", "x"))).status_code == 401
    assert (await line.http.get("/hotline", headers=bearer("agent"))).status_code == 403


async def test_without_a_key_there_is_no_hotline(client, bearer) -> None:
    assert (await client.get("/hotline", headers=bearer("channel-hotline"))).status_code == 404


def _basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


# --- what comes in


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.text(max_size=20) | st.sampled_from(["*", "9", "0", "1", "12", "²", "-1"]), step=st.sampled_from([*STEPS])
)
async def test_whatever_is_pressed_wherever_the_caller_hears_a_page(line: Line, desk, key: str, step: str) -> None:
    desk[0].customers[:] = desk[0].cases[:] = []
    customer = desk[0].customer("13800138000")
    case = desk[0].case(customer.customer_id, "DELIVERED")
    await line.dial("tel:13800138000", "1")
    known = {"customer_id": customer.customer_id, "region": customer.region, "case": case.case_number}
    state = State(call="c", phone="13800138000", language="en", reason="key").to(step, **known)
    await line.fetch("/hotline/keys", {"state": _seal().seal(state), "key": key})


@pytest.mark.parametrize("path", ["/hotline/keys", "/hotline/agent", "/hotline/transferred"])
@pytest.mark.parametrize("fields", [{}, {"state": "x"}, {"state": "gAAAA\x00", "key": "1"}])
async def test_a_forged_state_leads_nowhere(line: Line, path: str, fields: dict[str, str]) -> None:
    page = await line.fetch(path, fields)
    assert "非常抱歉" in said(page, "trouble")


def test_a_state_that_was_changed_or_is_old_is_refused() -> None:
    sealed = SEAL.seal(State(call="c", phone="13800138000"))
    assert SEAL.open(sealed) == State(call="c", phone="13800138000")
    other = StateSeal(Fernet(Fernet.generate_key()))
    old = Fernet.generate_key()
    stale = Fernet(old).encrypt_at_time(State(call="c").model_dump_json().encode(), 1).decode()
    changed = sealed[:-1] + ("B" if sealed.endswith("A") else "A")
    for seal, text in ((SEAL, changed), (other, sealed), (StateSeal(Fernet(old)), stale), (SEAL, "ü")):
        with pytest.raises(Fault, match="call_state_invalid"):
            seal.open(text)
    assert "13800138000" not in sealed


def _seal() -> StateSeal:
    """The one of the gateway under test."""
    return StateSeal(Fernet(base64.urlsafe_b64encode(bytes(32))))


@given(MOBILE)
def test_a_number_is_found_in_every_form_that_platforms_tell_it(number: str) -> None:
    for told_as in (
        number,
        f"tel:{number}",
        f"tel:{number[:4]}-{number[4:]};phone-context=+86",
        f"sip:{number}@10.0.0.1:5060;transport=udp",
        f"SIPS:{number.replace('+', '%2B')}@carrier.example",
    ):
        assert caller_number(told_as) == number


@given(st.text(max_size=40))
def test_anything_else_is_a_number_or_none(told_as: str) -> None:
    assert re.fullmatch(r"(\+?[0-9]{5,15})?", caller_number(told_as))


# --- what is said


@pytest.mark.parametrize("key", sorted(texts()))
def test_a_text_has_the_same_places_in_both_languages(key: str) -> None:
    places = {
        language: {place for _, place, _, _ in Formatter().parse(text)} for language, text in texts()[key].items()
    }
    assert places["zh-CN"] == places["en"]


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    folder = Path(gateway.hotline.__file__).parent
    sources = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    quoted = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)?)"', sources))
    used = {key for key in texts() if key in quoted}
    reasons = {key for key in texts() if key.startswith("reason.") and key.removeprefix("reason.") in quoted}
    assert set(texts()) == used | reasons
    asked_for = set(re.findall(r'(?:line|text|ask_choice)\((?:\w+, )?"([a-z_]+\.[a-z_]+)"', sources))
    assert asked_for <= set(texts())


def test_int03_what_can_be_reported_is_in_the_standards() -> None:
    assert {fault.category for fault in faults()} <= set(load().categories)
    assert report.KIND in load().kinds
    for fault in faults():
        for named in (fault.label, *fault.symptoms):
            assert set(named) == {"zh-CN", "en"}


def test_moments_are_told_as_dates_and_times() -> None:
    kinds = [part if isinstance(part, str) else (part.kind, part.value) for part in told("在2026-03-03 08:05前。")]
    assert kinds == ["在", ("date", "20260303"), " ", ("time", "0805h"), "前。"]


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_a_text_contains_stays_text(first: str, second: str) -> None:
    root = document("en", {}, {"state": first})
    say(SubElement(root, "block"), [SpokenLine("en", (first, second))])
    page = fromstring(serialised(root))
    prompt = page.find(f"{VXML}block/{VXML}prompt")
    assert isinstance(prompt, Element)
    assert len(prompt) == 0


# --- long lists


@given(st.integers(1, 40))
def test_every_choice_of_a_list_of_any_length_can_be_reached(count: int) -> None:
    choices = [Choice(str(value), f"choice {value}") for value in range(count)]
    offset, reached = 0, []
    for _ in range(count):
        call = Call(State(call="c", step="area", offset=offset), None, load(), "cn", "")  # type: ignore[arg-type]
        keys = [key for key in ask_choice(call, "area.ask", choices).keys if key.isdecimal() and key not in {"0", "9"}]
        reached += [
            chosen.value for key in keys if not wants_more(choices, key) and (chosen := choice_of(call, choices, key))
        ]
        assert all(wants_more(choices, key) or choice_of(call, choices, key) for key in keys)
        offset = next_offset(call, choices) if count > 8 else 0
        if offset == 0:
            break
    assert reached == [choice.value for choice in choices]

"""The telephone's interpreter on pages of its own: the rules that the hotline's pages rest on (GWY-02)."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from bihuanctl.hotline.callers import ScriptedCaller
from bihuanctl.hotline.grammars import takes
from bihuanctl.hotline.interpreter import Interpreter
from bihuanctl.hotline.pages import NAMESPACE, seconds
from bihuanctl.hotline.platform import session_of
from bihuanctl.hotline.trouble import PageBroken, Thrown
from hypothesis import given
from hypothesis import strategies as st

KEYS = """<grammar mode="dtmf" version="1.0" root="k"><rule id="k"><one-of>
    <item>1</item><item>*</item><item><item repeat="3-5"><ruleref uri="#d"/></item></item>
</one-of></rule><rule id="d"><one-of><item>0</item><item>7</item></one-of></rule></grammar>"""


class Site:
    """Pages by address, and what was posted to each; an address without a page can't be fetched."""

    def __init__(self, **pages: str) -> None:
        self.pages = {f"http://site/{name}": page for name, page in pages.items()}
        self.posted: list[tuple[str, dict[str, str] | None]] = []

    def fetch(self, url: str, fields: dict[str, str] | None, seconds: float) -> bytes:
        self.posted.append((url.removeprefix("http://site/"), fields))
        if url not in self.pages:
            raise Thrown("error.badfetch.http.503")
        return self.pages[url].encode()


def page(body: str) -> str:
    return f'<vxml version="2.1" xmlns="{NAMESPACE}" xml:lang="en">{body}</vxml>'


DONE = page("<form><block><disconnect/></block></form>")


def submit(address: str, *names: str) -> str:
    return f'<submit next="{address}" method="post" namelist="{" ".join(names)}"/>'


def asking(handlers: str, around: str = "") -> str:
    """A page with one field, its handlers, and what stands around its form."""
    filled = f"<filled>{submit('done', 'key')}</filled>"
    field = f'<field name="key">{KEYS}<prompt>Key?</prompt>{handlers}{filled}</field>'
    return page(f'{around}<form id="a">{field}</form>')


def play(first: str, *keys: str, site: Site | None = None, **caller: str) -> tuple[list[str], Site, ScriptedCaller]:
    site = site or Site(done=DONE)
    site.pages["http://site/first"] = first
    scripted = ScriptedCaller(keys, **caller)
    Interpreter(site, scripted, session_of("13800138000")).call("http://site/first")
    return [said.text for said in scripted.heard], site, scripted


@pytest.mark.parametrize(
    ("keys", "taken"),
    [
        ("1", True),
        ("*", True),
        ("070", True),
        ("00000", True),
        ("2", False),
        ("00", False),
        ("000000", False),
        ("071", False),
        ("", False),
    ],
)
def test_a_grammar_takes_its_sequences_and_no_others(keys: str, taken: bool) -> None:
    assert takes(fromstring(f'<v xmlns="{NAMESPACE}">{KEYS}</v>')[0], keys) == taken


@given(st.text("0123456789*#", max_size=8))
def test_a_grammar_is_what_it_says(keys: str) -> None:
    expected = keys in {"1", "*"} or (3 <= len(keys) <= 5 and set(keys) <= {"0", "7"})
    assert takes(fromstring(f'<v xmlns="{NAMESPACE}">{KEYS}</v>')[0], keys) == expected


def test_what_was_pressed_is_submitted_without_the_terminating_key() -> None:
    heard, site, _ = play(asking(""), "070#")
    assert heard == ["Key?"]
    assert site.posted[-1] == ("done", {"key": "070"})


def test_events_count_for_themselves_and_the_highest_fitting_handler_takes_them() -> None:
    handlers = "".join(
        f'<{event} count="{count}"><prompt>{event} {count}</prompt><reprompt/></{event}>'
        for event, count in (("noinput", 1), ("noinput", 3), ("nomatch", 1))
    )
    heard, _, _ = play(asking(handlers), "", "2", "", "", "", "1")
    told = [text for text in heard if text != "Key?"]
    assert told == ["noinput 1", "nomatch 1", "noinput 1", "noinput 3", "noinput 3"]
    assert heard.count("Key?") == 6


def test_without_a_reprompt_the_question_is_not_heard_again() -> None:
    heard, _, _ = play(asking("<noinput><prompt>Hm.</prompt></noinput>"), "", "1")
    assert heard == ["Key?", "Hm."]


def test_a_handler_of_the_page_takes_what_the_field_does_not() -> None:
    around = '<catch event="error.badfetch"><goto next="#b"/></catch><noinput><prompt>outer</prompt></noinput>'
    first = asking("", around).replace("</vxml>", '<form id="b"><block><prompt>sorry</prompt></block></form></vxml>')
    heard, _, _ = play(first, "", "1", site=Site())
    assert heard == ["Key?", "outer", "sorry"]


def test_an_event_is_caught_by_its_beginning_and_never_by_another_word() -> None:
    caught = '<catch event="error.bad"><prompt>wrong</prompt><disconnect/></catch>'
    caught += "<error><prompt>right</prompt><disconnect/></error>"
    heard, _, _ = play(asking("", caught), "1", site=Site())
    assert heard == ["Key?", "right"]


def test_a_transfer_that_nobody_answers_goes_on_with_the_page() -> None:
    transfer = (
        '<transfer name="t" dest="sip:a@b" bridge="true" connecttimeout="2s" aai="case=7">'
        f"<filled>{submit('done', 't')}</filled></transfer>"
    )
    _, site, caller = play(page(f"<form>{transfer}</form>"), agent="busy")
    assert caller.connected == [("sip:a@b", "case=7")]
    assert site.posted[-1] == ("done", {"t": "busy"})


def test_who_hangs_up_hears_no_more() -> None:
    heard, site, _ = play(asking("<noinput><prompt>Hm.</prompt></noinput>"))
    assert heard == ["Key?"]
    assert len(site.posted) == 1


def test_the_platform_knows_the_caller_unless_the_number_is_withheld() -> None:
    handler = '<catch event="error.semantic"><prompt>withheld</prompt></catch>'
    first = page(
        f'<form>{handler}<block><var name="caller" expr="session.connection.remote.uri"/>'
        '<submit next="done" method="post" namelist="caller"/></block></form>'
    )
    _, site, _ = play(first)
    assert site.posted[-1] == ("done", {"caller": "tel:13800138000"})
    silent = ScriptedCaller(())
    Interpreter(site, silent, session_of("")).call("http://site/first")
    assert [said.text for said in silent.heard] == ["withheld"]


def test_digits_dates_and_times_are_read_as_such() -> None:
    prompt = (
        '<prompt xml:lang="zh-CN">编号<say-as interpret-as="vxml:digits">2611</say-as>，'
        '<say-as interpret-as="vxml:date">20261122</say-as> <say-as interpret-as="vxml:time">1430h</say-as>前</prompt>'
    )
    heard, _, caller = play(page(f"<form><block>{prompt}</block></form>"))
    assert heard == ["编号2 6 1 1，2026-11-22 14:30前"]
    assert caller.heard[0].language == "zh-CN"


@pytest.mark.parametrize(
    "broken",
    [
        "no XML",
        DONE.replace("2.1", "2.0"),
        page("<form><block><script/></block></form>"),
        page("<form><block><prompt><audio/></prompt></block></form>"),
        page('<form><block><goto next="#nowhere"/></block></form>'),
        page('<form><block><var name="x" expr="1 + 1"/></block></form>'),
        page('<form><block><submit next="gone" method="post" namelist=""/></block></form>'),
        page(
            '<error><submit next="gone" method="post" namelist=""/></error><form><block>'
            '<submit next="gone" method="post" namelist=""/></block></form>'
        ),
    ],
    ids=["xml", "version", "element", "prompt", "goto", "expression", "unhandled error", "error for ever"],
)
def test_a_broken_page_is_found_out(broken: str) -> None:
    with pytest.raises(PageBroken):
        play(broken)


def test_durations_are_read() -> None:
    assert (seconds("6s"), seconds("500ms"), seconds("+1.5s")) == (6, 0.5, 1.5)
    with pytest.raises(PageBroken):
        seconds("soon")

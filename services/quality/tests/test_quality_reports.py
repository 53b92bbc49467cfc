"""The report of a period is made when it is over, published once, and read as a page and as a table (QLT-08)."""

import csv
import io
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from happenings import GUANGZHOU, MANAGER, a_case
from quality.clocks import build_clocks
from quality.figures.periods import period_at, read_period
from quality.reports.closing import await_period_end
from quality.reports.commands import make_report, publish_report
from quality.reports.queries import find_report, list_reports, read_report
from quality.reports.renderings import render_page, render_table
from servicekit.deadlines import DeadlineRunner
from servicekit.errors import Fault
from servicekit.testing.waiting import eventually, running

from servicekit import deadlines

VOID = {"meta", "link", "br"}


class Outline(HTMLParser):
    """Whether every element is closed in order, and what the page says about itself."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.language = ""
        self.headers = 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.language = given.get("lang", self.language)
        self.headers += tag == "th" and given.get("scope") in {"row", "col"}
        assert not any(name in given for name in ("src", "href", "onclick")), "nothing comes from elsewhere"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


async def _report(world, reference, principal=MANAGER):
    return await world.do(find_report, reference, principal)


async def _refused(code, awaitable) -> None:
    with pytest.raises(Fault) as refused:
        await awaitable
    assert refused.value.code == code


async def test_a_month_is_closed_by_itself_and_published_by_the_quality_manager(world):
    month = period_at("month", world.clock.now())
    await world.hear(*a_case(5))
    await world.hear(*a_case(2))
    runner = DeadlineRunner(world.database, world.clock, build_clocks(world.standards))

    async def made() -> bool:
        return len(await world.do(list_reports, MANAGER, before=None, limit=9)) == 3

    # Two months at once: after days off, every period is closed all the same.
    world.clock.advance(month.ends + timedelta(days=32) - world.clock.now())
    async with running(runner.run()):
        await eventually(made)
    report = await _report(world, month.name)
    lines = {line.indicator: line for line in report.content}
    assert (report.state, report.standards_version) == ("made", world.standards.version)
    assert (lines["satisfaction"].sample, float(lines["satisfaction"].value)) == (2, 50)
    assert lines["satisfaction"].verdict == "breached"
    assert len(lines["satisfaction"].failing) == 1
    await _refused("stale_version", world.do(publish_report, month.name, MANAGER, expected_version=9))
    published = await world.do(publish_report, month.name, MANAGER, expected_version=report.version)
    assert (published.state, published.published_by) == ("published", "quality")
    await _refused("report_published", world.do(make_report, world.standards, month))
    await _refused("transition_forbidden", world.do(publish_report, month.name, MANAGER, expected_version=0))
    assert (await _report(world, str(report.report_id), GUANGZHOU)).period == month.name
    assert (await world.told("report"))[-1] == "quality.report.published.v1"


async def test_two_months_that_end_in_one_moment_are_closed_once_each(world):
    """Whoever looks in the second month has its clock started beside the one of the first, which had not been seen."""
    for _ in range(2):
        month = period_at("month", world.clock.now())
        await world.do(await_period_end, world.standards)
        world.clock.advance(month.ends - world.clock.now())

    async def nothing_is_due() -> bool:
        return not await world.do(deadlines.count_overdue)

    world.clock.advance(timedelta(days=3))
    async with running(DeadlineRunner(world.database, world.clock, build_clocks(world.standards)).run()):
        await eventually(nothing_is_due)
    reports = await world.do(list_reports, MANAGER, before=None, limit=9)
    assert {report.period: report.version for report in reports} == {"2026-03": 1, "2026-Q1": 1, "2026-04": 1}


async def test_cases_are_named_only_to_those_who_may_see_the_country(world):
    month = period_at("month", world.clock.now())
    await world.hear(*a_case(1))
    world.clock.advance(month.ends - world.clock.now())
    await world.do(make_report, world.standards, month)
    await world.do(publish_report, month.name, MANAGER, expected_version=0)
    whole, without = [await world.do(read_report, month.name, who) for who in (MANAGER, GUANGZHOU)]
    (case_id,) = next(line.failing for line in whole.content if line.indicator == "satisfaction")
    assert {case for line in without.content for case in line.failing} == set()
    for language in ("zh-CN", "en"):
        assert case_id in render_page(whole, world.standards, language)
        assert case_id not in render_page(without, world.standards, language)
        assert case_id not in render_table(without, language)
    assert [line.value for line in without.content] == [line.value for line in whole.content]
    assert (await _report(world, month.name, GUANGZHOU)).content == whole.content, "it is stored as it was"


async def test_a_period_that_is_not_over_has_an_interim_report(world):
    month = period_at("month", world.clock.now())
    first = await world.do(make_report, world.standards, month)
    await world.hear(*a_case(5))
    second = await world.do(make_report, world.standards, month)
    assert (second.report_id, second.version, second.state) == (first.report_id, 2, "interim")
    assert await world.told("report") == []
    await _refused("period_not_over", world.do(publish_report, month.name, MANAGER, expected_version=0))
    await _refused("domain_forbidden", _report(world, month.name, GUANGZHOU))
    await _refused("period_unreported", world.do(make_report, world.standards, read_period("2026-W11")))
    await _refused("period_ahead", world.do(make_report, world.standards, read_period("2126")))
    await _refused("report_unknown", _report(world, "2020-01"))


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "未达标"), ("en", "breached")])
async def test_the_page_is_whole_in_itself_and_tells_by_words_what_it_tells_by_colour(world, language, words):
    await world.hear(*a_case(1))
    report = await world.do(make_report, world.standards, period_at("month", world.clock.now()))
    page = render_page(report, world.standards, language).replace("&#39;", "'")
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.language == language
    assert outline.headers > len(world.standards.indicators)
    for indicator in world.standards.indicators.values():
        assert indicator.label[language] in page
        assert indicator.definition[language] in page
    assert f"✘ {words}" in page
    assert world.standards.version in page
    failing = next(line.failing for line in report.content if line.indicator == "satisfaction")
    assert failing[0] in page
    assert not re.search(r"<script|\{\{|None", page)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_table_has_a_line_for_each_figure(world, language):
    await world.hear(*a_case(5))
    report = await world.do(make_report, world.standards, period_at("month", world.clock.now()))
    header, *lines = csv.reader(io.StringIO(render_table(report, language), newline=""))
    assert [line[0] for line in lines] == list(world.standards.indicators)
    (satisfaction,) = [line for line in lines if line[0] == "satisfaction"]
    assert satisfaction[1] == world.standards.indicators["satisfaction"].label[language]
    assert satisfaction[3:6] == ["100", "%", "1"]
    assert {len(line) for line in lines} == {len(header)}


async def test_the_page_tells_its_dates_in_china_time(world):
    month = period_at("month", world.clock.now())
    await world.do(make_report, world.standards, month)
    # Two in the morning there, and still the day before by UTC.
    world.clock.advance(month.ends + timedelta(hours=2) - world.clock.now())
    await world.do(make_report, world.standards, month)
    report = await world.do(publish_report, month.name, MANAGER, expected_version=0)
    page = render_page(report, world.standards, "en")
    assert f"published {month.after} by quality" in page
    assert f"{month.after} 02:00" in page

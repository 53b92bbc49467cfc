"""Figures are what happened, whatever the order and however often it was told (QLT-02)."""

from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest
from happenings import GUANGZHOU, MANAGER, REGION, a_case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quality.figures.periods import period_at, read_period
from quality.figures.queries import find_indicator, list_contributions, scope_for
from quality.observations.tables import OBSERVATIONS
from servicekit.errors import Fault
from sqlalchemy import delete

CASES = [a_case(5), a_case(2, reopened=True), a_case(4, region="cn.sc.cd.wuhou"), a_case(missed="fault_response")]


async def test_qlt01_shares_means_percentiles_and_counts(world):
    for case in CASES:
        await world.hear(*case)
    seen = {each.indicator: (each.sample, each.value and float(each.value)) for each in await world.figures()}
    assert seen["cases_accepted"] == (4, 4)
    assert seen["satisfaction"] == (3, 66.6667)
    assert seen["fault_response_in_time"] == (4, 75)
    assert seen["mean_handling_time"] == (4, 1)
    assert seen["handling_time_p95"] == (4, 1)
    assert seen["survey_response_rate"] == (4, 75)
    assert seen["handling_accuracy"] == (4, 75)
    assert seen["complaints_registered"] == (0, 0)
    assert seen["complaint_satisfaction"] == (0, None)


async def test_figures_are_told_apart_by_region_and_category(world):
    for case in CASES:
        await world.hear(*case)
    assert (await world.figure("cases_accepted", "cn.sc")).sample == 1
    groups = await world.figures("cases_accepted", by="region")
    assert {each.group: each.sample for each in groups} == {REGION: 3, "cn.sc.cd.wuhou": 1}
    (category,) = await world.figures("satisfaction", by="category")
    assert (category.group, category.sample) == ("internet_access", 3)
    with pytest.raises(Fault) as refused:
        await world.figures("satisfaction", by="cause")
    assert refused.value.code == "dimension_unknown"


async def test_qlt02_every_kind_of_period_has_its_figures(world):
    day = world.clock.now()
    await world.hear(*a_case(), at=day)
    await world.hear(*a_case(), at=day + timedelta(days=1))
    await world.hear(*a_case(), at=day + timedelta(days=40))
    names = [period_at(kind, day).name for kind in ("day", "week", "month", "quarter", "year")]
    counts = [(await world.figure("cases_accepted", period=name)).sample for name in names]
    assert counts[0] == 1
    assert counts == sorted(counts)
    assert counts[-1] == 3


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_qlt02_disorder_and_duplicates_come_to_the_same_figures(world, seed):
    """The same events told in order, and shuffled with copies, in two worlds that only differ in that."""
    await world.do(lambda tx: tx.execute(delete(OBSERVATIONS)))
    random = Random(seed)
    start = world.clock.now()
    told = [
        (event, uuid4(), start + timedelta(minutes=random.randint(0, 600)))
        for case in (a_case(random.randint(0, 5), missed="handling"), a_case(reopened=True))
        for event in case
    ]
    for event, event_id, at in told:
        await world.hear(event, at=at, event_id=event_id)
    in_order = await world.figures()
    await world.do(lambda tx: tx.execute(delete(OBSERVATIONS)))
    twice = told + random.sample(told, 5)
    random.shuffle(twice)
    for event, event_id, at in twice:
        await world.hear(event, at=at, event_id=event_id)
    assert await world.figures() == in_order


async def test_late_news_moves_what_it_belongs_to(world):
    """The region comes after the rating: until then it belongs to the whole country."""
    opened, *rest = a_case(5)
    await world.hear(*rest)
    assert (await world.figure("satisfaction")).sample == 1
    assert (await world.figure("satisfaction", REGION)).sample == 0
    await world.hear(opened)
    assert (await world.figure("satisfaction", REGION)).sample == 1
    assert (await world.figure("satisfaction")).sample == 1


async def test_qlt08_the_drill_down_names_the_subjects_behind_a_figure_page_by_page(world):
    for case in (a_case(5), a_case(1), a_case(2), a_case(3)):
        await world.hear(*case)
    indicator = find_indicator(world.standards, "satisfaction")
    scope = scope_for(MANAGER, world.standards, read_period(world.month), "")

    async def page(before, *, only_failing, limit=2):
        asked = {"only_failing": only_failing, "before": before, "limit": limit}
        return await world.do(list_contributions, world.standards, indicator, scope, **asked)

    everyone = await page(None, only_failing=False, limit=9)
    assert [float(each.value) for each in everyone].count(100) == 1
    first = await page(None, only_failing=True)
    second = await page((first[-1].at, first[-1].subject_id), only_failing=True)
    assert len(first) == 2
    assert len(second) == 1
    assert {each.subject_id for each in first + second} == {each.subject_id for each in everyone if not each.value}
    assert everyone[0].dimensions == {"category": "internet_access", "kind": "fault_repair", "channel": "app"}


def test_whoever_has_a_region_sees_no_other(world):
    period = read_period("2026-03")
    assert scope_for(GUANGZHOU, world.standards, period, "").region == "cn.gd.gz"
    for region, code in (("cn", "domain_forbidden"), ("cn.gd.sz", "domain_forbidden"), ("cn.gd.gx", "region_unknown")):
        with pytest.raises(Fault) as refused:
            scope_for(GUANGZHOU, world.standards, period, region)
        assert refused.value.code == code


def test_an_unknown_indicator_is_named(world):
    with pytest.raises(Fault) as refused:
        find_indicator(world.standards, "happiness")
    assert refused.value.code == "indicator_unknown"
    assert "happiness" in refused.value.text("en").detail

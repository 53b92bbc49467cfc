"""One alert for one departure, which opens one improvement, until the figure is back in bounds (QLT-03, QLT-05)."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from bihuan.complaints.v1.events_pb2 import IndicatorImprovementChanged
from happenings import GUANGZHOU, MANAGER, a_case
from hypothesis import given
from hypothesis import strategies as st
from quality.alerts.alert import Level, Move, level_of, next_move
from quality.alerts.improvements import note_improvement
from quality.alerts.queries import find_alert, list_alerts
from quality.alerts.watching import every_place, watch
from quality.facts import entity_facts
from quality.figures.periods import period_at
from quality.figures.refreshing import refresh
from quality.observations.commands import remember
from quality.reports.closing import close_period
from servicekit.errors import Fault
from standards.verdicts import Bounds

AT_LEAST = Bounds("at_least", Decimal(90), Decimal(92))
VALUES = st.decimals(0, 100, places=1)


@given(st.lists(VALUES, min_size=1, max_size=30))
def test_an_alert_only_gets_worse_and_ends_well_within_bounds(values):
    level = None
    for value in values:
        match next_move(level, AT_LEAST, 9, 5, value):
            case Move.RAISE:
                assert level is None
                level = level_of(AT_LEAST, value)
                assert value < 92
            case Move.WORSEN:
                assert level is Level.WARNING
                level = Level.BREACH
                assert value < 90
            case Move.CLEAR:
                assert level is not None
                assert value >= 92
                level = None
            case Move.NOTHING if level is None:
                assert value >= 92
            case Move.NOTHING:
                assert value < 92


def test_too_few_say_nothing():
    assert next_move(None, AT_LEAST, 4, 5, Decimal(0)) is Move.NOTHING
    assert next_move(Level.BREACH, AT_LEAST, 4, 5, Decimal(100)) is Move.NOTHING
    assert next_move(None, AT_LEAST, 0, 5, None) is Move.NOTHING


async def _alerts(world, principal=MANAGER, **filters):
    asked = {"only_open": False, "indicator": "satisfaction", "region": "", "before": None, "limit": 50, **filters}
    return await world.do(list_alerts, principal, **asked)


async def _rate(world, *scores):
    for score in scores:
        await world.hear(*a_case(score))


async def test_qlt03_a_breach_raises_one_alert_a_scope_however_often_the_figure_moves(world):
    await _rate(world, 1, 1, 1, 1)
    assert await _alerts(world) == [], "four are too few"
    await _rate(world, 1, 1, 1)
    alerts = {alert.region: alert for alert in await _alerts(world)}
    assert alerts.keys() == {"cn", "cn.gd.gz"}, "watched are the country and its cities"
    assert [(alert.level, alert.sample) for alert in alerts.values()] == [("breach", 5)] * 2
    assert alerts["cn.gd.gz"].responsible == "supervisor.gz"
    assert await world.told("alert") == ["quality.alert.raised.v1"] * 2
    assert await world.told("improvement") == ["complaints.commands.open_improvement"] * 2
    assert [alert.region for alert in await _alerts(world, GUANGZHOU)] == ["cn.gd.gz"]
    with pytest.raises(Fault) as refused:
        await world.do(find_alert, str(alerts["cn"].alert_id), GUANGZHOU)
    assert refused.value.code == "domain_forbidden"


async def test_back_in_bounds_it_is_cleared_and_the_next_breach_is_a_new_one(world):
    await _rate(world, 1, 1, 1, 1, 1)
    world.clock.advance(timedelta(days=31))
    assert len(await _alerts(world, only_open=True)) == 2, "a new month alone clears nothing"
    await _rate(world, 5, 5, 5, 5, 5)
    assert await _alerts(world, only_open=True) == []
    assert (await world.told("alert"))[-2:] == ["quality.alert.cleared.v1"] * 2
    world.clock.advance(timedelta(days=31))
    await _rate(world, 1, 1, 1, 1, 1)
    assert len(await _alerts(world)) == 4


async def test_a_warning_that_gets_worse_stays_one_alert_and_opens_the_improvement_then(world):
    await _rate(world, *[5] * 10, 1)  # 90.9 %
    assert {alert.level for alert in await _alerts(world)} == {"warning"}
    assert await world.told("improvement") == []
    await _rate(world, 1)
    worse = await _alerts(world)
    assert [(alert.level, alert.version) for alert in worse] == [("breach", 2)] * 2
    assert await world.told("improvement") == ["complaints.commands.open_improvement"] * 2


async def test_a_restart_looks_at_everything_again_and_raises_nothing_twice(world):
    await _rate(world, 1, 1, 1, 1, 1)
    world.refresher.begin_anew()
    await world.refresher.catch_up()
    assert len(await _alerts(world)) == 2


async def test_qlt05_the_alert_knows_how_far_its_improvement_is_in_whatever_order_it_is_told(world):
    await _rate(world, 1, 1, 1, 1, 1)
    alert = (await _alerts(world))[0]
    assert {fact.state for fact in await world.do(entity_facts, "", 10)} == {"unanswered"}

    async def tell(state: str, version: int) -> None:
        event = IndicatorImprovementChanged(
            improvement_id=str(alert.improvement_id), alert_id=str(alert.alert_id), state=f"IMPROVEMENT_STATE_{state}"
        )
        await world.do(note_improvement, event, version=version)

    await tell("PLANNED", 2)
    await tell("FOUND", 1)
    known = await world.do(find_alert, str(alert.alert_id), MANAGER)
    assert known.improvement_state == "planned"
    facts = {UUID(fact.entity_id): fact for fact in await world.do(entity_facts, "", 10)}
    assert facts[alert.alert_id].state == "planned"
    assert [fact.problems for fact in facts.values()] == [[], []]


async def test_the_improvement_of_no_alert_is_refused(world):
    with pytest.raises(Fault) as refused:
        await world.do(note_improvement, IndicatorImprovementChanged(improvement_id=str(uuid4())), version=1)
    assert refused.value.code == "improvement_unknown"


async def _form(world, *scores) -> None:
    """In the figures, and not yet judged."""
    for score in scores:
        for version, event in enumerate(a_case(score), start=1):
            await world.do(remember, world.reader, [(event, uuid4(), world.clock.now(), version)])
    while (await world.do(refresh, world.standards)).changes:
        pass


async def test_two_replicas_that_look_at_once_worsen_an_alert_once(world):
    await _rate(world, *[5] * 10, 1)
    await _form(world, 1)
    places = every_place(world.standards)
    async with world.database.transaction("first") as first:
        await watch(first, world.standards, places)
        second = asyncio.create_task(world.do(watch, world.standards, places))
        done, _ = await asyncio.wait({second}, timeout=0.3)
        assert not done, "one judges at a time"
    await second
    alerts = await _alerts(world)
    assert [(alert.level, alert.version) for alert in alerts] == [("breach", 2)] * 2
    assert await world.told("improvement") == ["complaints.commands.open_improvement"] * 2
    for alert in alerts:
        event = IndicatorImprovementChanged(
            improvement_id=str(alert.improvement_id), alert_id=str(alert.alert_id), state="IMPROVEMENT_STATE_FOUND"
        )
        await world.do(note_improvement, event, version=1)


async def test_two_replicas_that_look_at_once_raise_an_alert_once(world):
    await _form(world, 1, 1, 1, 1, 1)
    places = every_place(world.standards)
    await asyncio.gather(*(world.do(watch, world.standards, places) for _ in range(4)))
    assert len(await _alerts(world)) == 2


@pytest.mark.parametrize("first", ["the look", "the news"])
async def test_what_complaints_tells_while_an_alert_is_cleared_is_kept(world, first):
    await _rate(world, 1, 1, 1, 1, 1)
    alert = (await _alerts(world, GUANGZHOU))[0]
    event = IndicatorImprovementChanged(
        improvement_id=str(alert.improvement_id), alert_id=str(alert.alert_id), state="IMPROVEMENT_STATE_VERIFIED"
    )
    world.clock.advance(timedelta(days=31))
    await _form(world, 5, 5, 5, 5, 5)
    places = every_place(world.standards)
    async with world.database.transaction("first") as tx:
        if first == "the look":
            await watch(tx, world.standards, places)
            other = asyncio.create_task(world.do(note_improvement, event, version=4))
        else:
            await note_improvement(tx, event, version=4)
            other = asyncio.create_task(world.do(watch, world.standards, places))
        # Long enough for it to read; it can't end before.
        done, _ = await asyncio.wait({other}, timeout=0.3)
        assert not done
    await other
    known = await world.do(find_alert, str(alert.alert_id), MANAGER)
    assert known.cleared_at is not None
    assert (known.improvement_state, known.improvement_version) == ("verified", 4)


async def test_what_happened_on_the_last_evening_is_judged_when_it_is_heard_of(world):
    month = period_at("month", world.clock.now())
    await _form(world, 1, 1, 1, 1, 1)
    world.clock.advance(month.ends + timedelta(hours=9) - world.clock.now())
    await world.refresher.catch_up()
    alerts = await _alerts(world)
    assert [(alert.level, alert.period) for alert in alerts] == [("breach", month.name)] * 2
    await _rate(world, 5, 5, 5, 5, 5)
    assert await _alerts(world, only_open=True) == []
    world.refresher.begin_anew()
    await world.refresher.catch_up()
    assert await _alerts(world, only_open=True) == [], "the month that is over was told of"
    assert len(await _alerts(world)) == 2


async def test_a_month_that_was_over_long_before_is_judged_when_it_is_closed(world):
    month = period_at("month", world.clock.now())
    await _form(world, 1, 1, 1, 1, 1)
    world.clock.advance(timedelta(days=70))
    await world.refresher.catch_up()
    assert await _alerts(world) == []
    for _ in range(2):
        await world.do(close_period, world.standards, month)
    assert [(alert.level, alert.period) for alert in await _alerts(world)] == [("breach", month.name)] * 2


async def test_what_is_over_clears_nothing(world):
    month = period_at("month", world.clock.now())
    await _form(world, 5, 5, 5, 5, 5)
    world.clock.advance(timedelta(days=31))
    await _rate(world, 1, 1, 1, 1, 1)
    await world.do(close_period, world.standards, month)
    assert len(await _alerts(world, only_open=True)) == 2


async def test_a_month_that_ended_worse_than_was_warned_of_is_told_of_again(world):
    month = period_at("month", world.clock.now())
    await _rate(world, *[5] * 10, 1)
    evening = world.clock.now()
    world.clock.advance(month.ends + timedelta(hours=9) - evening)
    await _rate(world, 5, 5, 5, 5, 5)
    assert await _alerts(world, only_open=True) == []
    for version, event in enumerate(a_case(1), start=1):
        await world.do(remember, world.reader, [(event, uuid4(), evening, version)])
    await world.refresher.catch_up()
    levels = sorted(alert.level for alert in await _alerts(world))
    assert levels == ["breach"] * 2 + ["warning"] * 2
    assert await _alerts(world, only_open=True) == [], "this month is well"

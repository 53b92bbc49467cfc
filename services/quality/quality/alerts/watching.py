"""Looks whether figures that have moved are in bounds, and raises or clears alerts (QLT-03, QLT-05)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bihuan.complaints.v1 import commands_pb2
from bihuan.quality.v1 import events_pb2
from servicekit.database import UnitOfWork
from servicekit.ids import uuid7
from servicekit.regions import regions_upwards
from sqlalchemy import insert, or_, select, update
from standards.indicators import Indicator, PeriodKind

from quality.alerts.alert import Alert, Level, Move, level_of, next_move
from quality.alerts.tables import ALERTS
from quality.figures.periods import Period, period_at
from quality.figures.queries import Scope, totals_by_region
from quality.figures.values import figure_of
from standards import Standards

SAMPLE = "alert_sample"
INTERVAL = "alert_seconds"
# One process judges at a time, and sees what the one before has raised.
_AWAIT_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('quality alerts', 0))"

# Indicator and region of what was touched, or may have an alert.
Places = Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of one region that says something."""

    indicator: str
    region: str
    sample: int
    value: Decimal


def every_place(standards: Standards) -> set[tuple[str, str]]:
    """Wherever there may be an alert: what is looked at when a process starts."""
    return {(name, region) for name in standards.indicators for region in standards.regions}


async def watch(tx: UnitOfWork, standards: Standards, touched: Places) -> None:
    """Judges the figures that rest on what was touched, of the running periods and of those before.

    What happened on a period's last evening may be heard of when it is over.
    """
    by_period: defaultdict[PeriodKind, dict[str, set[str]]] = defaultdict(dict)
    for name, region in touched:
        indicator = standards.indicators[name]
        if indicator.watched is not None:
            watched = by_period[indicator.watched.period].setdefault(name, set())
            watched |= {each for each in regions_upwards(region) if _is_watched(standards, indicator, each)}
    await tx.fetch(_AWAIT_TURN)
    for kind, places in by_period.items():
        running = period_at(kind, tx.now)
        await _judge(tx, standards, period_at(kind, running.begins - timedelta.resolution), places)
        await _judge(tx, standards, running, places)


async def watch_ended(tx: UnitOfWork, standards: Standards, period: Period) -> None:
    """Judges every figure of a period that is over, however long ago."""
    places = {
        indicator.name: {region for region in standards.regions if _is_watched(standards, indicator, region)}
        for indicator in standards.indicators.values()
        if indicator.watched is not None and indicator.watched.period == period.kind
    }
    if places:
        await tx.fetch(_AWAIT_TURN)
        await _judge(tx, standards, period, places)


def _is_watched(standards: Standards, indicator: Indicator, region: str) -> bool:
    known = standards.regions.get(region)
    return known is not None and indicator.watched is not None and known.level in indicator.watched.regions


async def _judge(tx: UnitOfWork, standards: Standards, period: Period, places: Mapping[str, set[str]]) -> None:
    totals = await totals_by_region(tx, list(places), Scope(period))
    alerts = await _alerts_since(tx, list(places), period)
    required = int(standards.thresholds[SAMPLE].value)
    for name, regions in places.items():
        indicator, bounds = standards.indicators[name], standards.bounds(name)
        for region in sorted(regions):
            below = [part for at, part in totals.get(name, {}).items() if region in regions_upwards(at)]
            sample, total = sum(part[0] for part in below), sum(part[1] for part in below)
            value = figure_of(indicator, sample, total)
            if bounds is None or value is None:
                continue
            figure = Measured(name, region, sample, value)
            known = alerts[name, region]
            still_open = next((alert for alert in known if alert.cleared_at is None), None)
            match next_move(_worst(known), bounds, sample, required, value):
                case Move.WORSEN if still_open is not None:
                    await _worsen(tx, standards, still_open, figure)
                case Move.RAISE | Move.WORSEN:
                    await _raise(tx, standards, period, figure, level_of(bounds, value))
                # What is over can't tell that things are well now.
                case Move.CLEAR if still_open is not None and period.ends > tx.now:
                    await _clear(tx, still_open, figure)


async def _alerts_since(
    tx: UnitOfWork, indicators: Collection[str], period: Period
) -> defaultdict[tuple[str, str], list[Alert]]:
    """Those that are open or were when the period ended: they tell of it already.

    Locked: what complaints tells of their improvements waits until they are judged.
    """
    columns = ALERTS.c
    told = or_(columns.cleared_at.is_(None), columns.cleared_at >= period.ends)
    statement = select(ALERTS).where(told, columns.indicator.in_(indicators)).with_for_update()
    alerts = defaultdict(list)
    for row in (await tx.execute(statement)).mappings():
        alerts[row["indicator"], row["region"]].append(Alert.model_validate(dict(row)))
    return alerts


def _worst(alerts: Collection[Alert]) -> Level | None:
    levels = {alert.level for alert in alerts}
    return Level.BREACH if Level.BREACH in levels else Level.WARNING if levels else None


async def _raise(tx: UnitOfWork, standards: Standards, period: Period, figure: Measured, level: Level) -> None:
    alert = Alert(
        alert_id=uuid7(),
        indicator=figure.indicator,
        region=figure.region,
        level=level,
        responsible=standards.regions[figure.region].supervisor,
        period=period.name,
        value=figure.value,
        sample=figure.sample,
        standards_version=standards.version,
        raised_at=tx.now,
        improvement_id=uuid7() if level is Level.BREACH else None,
    )
    await tx.execute(insert(ALERTS).values(alert.model_dump()))
    _announce(tx, standards, alert)


async def _worsen(tx: UnitOfWork, standards: Standards, alert: Alert, figure: Measured) -> None:
    """A warning became a breach: the same alert, and now an improvement."""
    after = await _move(tx, alert, figure, level=Level.BREACH, improvement_id=uuid7())
    _announce(tx, standards, after)


async def _clear(tx: UnitOfWork, alert: Alert, figure: Measured) -> None:
    """Back in bounds. The improvement goes on: it has to prove itself, and the next breach will be a new alert."""
    after = await _move(tx, alert, figure, cleared_at=tx.now)
    event = events_pb2.AlertCleared(
        alert_id=str(after.alert_id),
        indicator=after.indicator,
        region=after.region,
        value=float(after.value),
        sample=after.sample,
    )
    tx.emit(event, version=after.version)


async def _move(tx: UnitOfWork, alert: Alert, figure: Measured, **changes: object) -> Alert:
    """The next version, with the figure that moved it. Writes nothing else: how far an improvement is, others tell."""
    changes |= {"version": alert.version + 1, "value": figure.value, "sample": figure.sample}
    await tx.execute(update(ALERTS).where(ALERTS.c.alert_id == alert.alert_id).values(changes))
    return alert.model_copy(update=changes)


def _announce(tx: UnitOfWork, standards: Standards, alert: Alert) -> None:
    improvement_id = str(alert.improvement_id or "")
    event = events_pb2.AlertRaised(
        alert_id=str(alert.alert_id),
        indicator=alert.indicator,
        region=alert.region,
        level=alert.level,
        value=float(alert.value),
        sample=alert.sample,
        improvement_id=improvement_id,
    )
    tx.emit(event, version=alert.version)
    bounds = standards.bounds(alert.indicator)
    if improvement_id and bounds is not None:
        command = commands_pb2.OpenImprovement(
            improvement_id=improvement_id,
            alert_id=str(alert.alert_id),
            indicator=alert.indicator,
            region=alert.region,
            baseline=float(alert.value),
            goal=float(bounds.warning),
            owner=alert.responsible,
        )
        tx.command(command)

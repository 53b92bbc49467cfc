"""Values of quality in the contract's form."""

from decimal import Decimal
from typing import Any

from bihuan.quality.v1 import alerts_pb2, indicators_pb2, reports_pb2
from servicekit.languages import Language
from standards.indicators import Indicator

from quality.alerts.alert import Alert
from quality.compliance import Row
from quality.figures.queries import Contributed, Figure
from quality.figures.values import Verdict, verdict_of
from quality.reports.report import Line, Report
from standards import Standards


def indicator_message(indicator: Indicator, standards: Standards, language: Language) -> indicators_pb2.Indicator:
    bounds = standards.bounds(indicator.name)
    return indicators_pb2.Indicator(
        name=indicator.name,
        label=indicator.label[language],
        definition=indicator.definition[language],
        unit=indicator.unit,
        direction=indicator.direction or "",
        breach=_float(bounds.breach if bounds else None),
        warning=_float(bounds.warning if bounds else None),
        clauses=indicator.source.split(),
        requirement=indicator.requirement,
        owner=standards.owners[indicator.owner].label[language],
        periods=indicator.periods,
        dimensions=indicator.dimensions,
        subject=indicator.subject,
    )


def figure_message(figure: Figure, period: str, standards: Standards) -> indicators_pb2.Figure:
    verdict = verdict_of(standards.bounds(figure.indicator), figure.sample, figure.value)
    return indicators_pb2.Figure(
        indicator=figure.indicator,
        period=period,
        group=figure.group,
        sample=figure.sample,
        value=_float(figure.value),
        verdict=_verdict(verdict),
    )


def contribution_message(contributed: Contributed) -> indicators_pb2.Contribution:
    return indicators_pb2.Contribution(
        subject_id=contributed.subject_id,
        at=contributed.at,
        value=float(contributed.value),
        region=contributed.region,
        dimensions=contributed.dimensions,
    )


def compliance_message(row: Row) -> indicators_pb2.ComplianceRow:
    return indicators_pb2.ComplianceRow(
        clause=row.clause,
        indicator=row.indicator,
        label=row.label,
        unit=row.unit,
        direction=row.direction,
        target=_float(row.target),
        strictness=row.strictness,
        value=_float(row.value),
        sample=row.sample,
        verdict=_verdict(row.verdict),
    )


def alert_message(alert: Alert) -> alerts_pb2.Alert:
    return alerts_pb2.Alert(
        alert_id=str(alert.alert_id),
        version=alert.version,
        indicator=alert.indicator,
        region=alert.region,
        level=f"ALERT_LEVEL_{alert.level.upper()}",
        responsible=alert.responsible,
        period=alert.period,
        value=float(alert.value),
        sample=alert.sample,
        standards_version=alert.standards_version,
        raised_at=alert.raised_at,
        cleared_at=alert.cleared_at,
        improvement_id=str(alert.improvement_id or ""),
        improvement_state=alert.improvement_state,
    )


def report_message(report: Report, language: Language, *, whole: bool) -> reports_pb2.Report:
    """With its lines only where it is shown `whole`."""
    return reports_pb2.Report(
        report_id=str(report.report_id),
        version=report.version,
        state=f"REPORT_STATE_{report.state.upper()}",
        period=report.period,
        region=report.region,
        standards_version=report.standards_version,
        made_at=report.made_at,
        published_at=report.published_at,
        published_by=report.published_by,
        lines=[_line_message(line, report.period, language) for line in report.content] if whole else [],
    )


def _line_message(line: Line, period: str, language: Language) -> reports_pb2.ReportLine:
    return reports_pb2.ReportLine(
        indicator=indicators_pb2.Indicator(
            name=line.indicator,
            label=line.label[language],
            definition=line.definition[language],
            unit=line.unit,
            direction=line.direction,
            breach=_float(line.breach),
            warning=_float(line.warning),
            clauses=line.clauses,
            requirement=line.requirement,
            owner=line.owner[language],
            subject=line.subject,
        ),
        figure=indicators_pb2.Figure(
            indicator=line.indicator,
            period=period,
            sample=line.sample,
            value=_float(line.value),
            verdict=_verdict(line.verdict),
        ),
        failing=line.failing,
    )


def _verdict(verdict: Verdict) -> Any:
    return indicators_pb2.Verdict.Value(f"VERDICT_{verdict.upper()}")


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)

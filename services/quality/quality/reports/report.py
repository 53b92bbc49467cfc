"""The report of a period: what it holds, and who may change it when (QLT-08). Pure but for its table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from servicekit.languages import Language
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from quality.figures.values import Verdict


class State(StrEnum):
    """The words behind the contract's ReportState."""

    INTERIM = "interim"
    MADE = "made"
    PUBLISHED = "published"


class Line(BaseModel):
    """One indicator as it was judged: standards may change, a report never does."""

    indicator: str
    label: Mapping[Language, str]
    definition: Mapping[Language, str]
    owner: Mapping[Language, str]
    unit: str
    direction: str
    breach: Decimal | None
    warning: Decimal | None
    clauses: Sequence[str]
    requirement: str
    subject: str
    sample: int
    value: Decimal | None
    verdict: Verdict
    # Ids of some of the subjects that keep the figure from its level, newest first.
    failing: Sequence[str]


class Report(SQLModel):
    """One period's report. `ReportRow` stores exactly these fields."""

    report_id: UUID = Field(primary_key=True)
    version: int
    state: State = Field(sa_type=Text)
    period: str = Field(unique=True, sa_type=Text)
    region: str = Field(sa_type=Text)
    standards_version: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=UTC_TIME)
    published_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    published_by: str = Field(default="", sa_type=Text)
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)

    @property
    def content(self) -> list[Line]:
        return [Line.model_validate(line) for line in self.lines]


def remake(known: Report | None, fresh: Report) -> Report:
    """The next version of a period's report. Raises Fault("report_published"): a published one stays as it is."""
    if known is None:
        return fresh
    if known.state is State.PUBLISHED:
        raise Fault("report_published", period=known.period)
    return fresh.model_copy(update={"report_id": known.report_id, "version": known.version + 1})


def publish(report: Report, now: datetime, *, by: str) -> Report:
    """Raises Fault("transition_forbidden") for one that is out already, Fault("period_not_over") for an interim one."""
    if report.state is State.INTERIM:
        raise Fault("period_not_over", period=report.period)
    if report.state is State.PUBLISHED:
        raise Fault("transition_forbidden", action="publish_report", state=report.state.value)
    changes = {"state": State.PUBLISHED, "published_at": now, "published_by": by, "version": report.version + 1}
    return report.model_copy(update=changes)


def without_cases(report: Report) -> Report:
    return report.model_copy(update={"lines": [{**line, "failing": []} for line in report.lines]})

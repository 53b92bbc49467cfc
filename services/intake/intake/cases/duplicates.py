"""The same customer's same problem, reported again (INT-14). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from intake.cases.case import OPEN, Stage
from intake.proposals import Proposal


@dataclass(frozen=True)
class Earlier:
    """What an earlier case of the same customer must tell to be compared."""

    case_id: UUID
    region: str
    kind: str
    category: str
    stage: Stage
    accepted_at: datetime
    closed_at: datetime | None

    @classmethod
    def of_new(cls, case_id: UUID, region: str, proposal: Proposal, now: datetime) -> Self:
        """A case that is being opened right now: the next report in line may repeat it."""
        return cls(case_id, region, proposal.kind, proposal.category, Stage.ACCEPTED, now, None)


@dataclass(frozen=True)
class Windows:
    """How far back we look, from standards/thresholds.yaml."""

    join_open: timedelta
    link_closed: timedelta


@dataclass(frozen=True)
class Verdict:
    """`joins`: the open case that the report belongs to. `repeat_of`: the closed case that it repeats."""

    joins: UUID | None = None
    repeat_of: UUID | None = None


def compare(kind: str, category: str, now: datetime, earlier: Iterable[Earlier], windows: Windows) -> Verdict:
    """Finds the newest earlier case with the same kind and category, an open one before a closed one."""
    same = sorted(
        (case for case in earlier if (case.kind, case.category) == (kind, category)),
        key=lambda case: case.accepted_at,
        reverse=True,
    )
    for case in same:
        if case.stage in OPEN and case.accepted_at >= now - windows.join_open:
            return Verdict(joins=case.case_id)
    for case in same:
        if case.closed_at is not None and case.closed_at >= now - windows.link_closed:
            return Verdict(repeat_of=case.case_id)
    return Verdict()

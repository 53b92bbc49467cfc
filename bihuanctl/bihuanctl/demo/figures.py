"""What came of a play, as figures: for the tables at the end and for `--json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bihuan.platform.v1.inspection_pb2 import Backlog

from bihuanctl.demo.gateway import Json

PERCENT: Final = 100.0
SCORES: Final = (5, 4, 3, 2, 1)
STAGES: Final = ("accepted", "assessed", "assigned", "handling", "delivered", "confirmed", "closed", "archived")
_STAGE: Final = "CASE_STAGE_"


@dataclass
class ClockFigures:
    """How often one clock ended how; `warned` counts those that had a warning, however they ended."""

    met: int = 0
    warned: int = 0
    missed: int = 0
    # Running, paused, or stopped because what it watched was no longer needed.
    other: int = 0


@dataclass(frozen=True)
class Satisfaction:
    """What the survey says (INT-12)."""

    # Cases whose result was delivered: each was sent a survey.
    sent: int
    scores: Mapping[int, int]

    @property
    def answered(self) -> int:
        return sum(self.scores.values())

    @property
    def response_percent(self) -> float:
        return PERCENT * self.answered / self.sent if self.sent else 0.0

    @property
    def mean(self) -> float:
        return sum(score * count for score, count in self.scores.items()) / self.answered if self.answered else 0.0


@dataclass(frozen=True)
class Traffic:
    """Events and commands of one service during the play."""

    published: int
    consumed: int


@dataclass(frozen=True)
class Figures:
    """The outcome of one play."""

    # Cases by stage, in the order of the loop; zeros included.
    stages: Mapping[str, int]
    withdrawn: int
    confirmed_by_default: int
    reopened: int
    # Opened again after closing (INT-14).
    linked: int
    clocks: Mapping[str, ClockFigures]
    satisfaction: Satisfaction
    visits: int
    visits_failed: int
    visits_reassigned: int
    records: int
    records_complete: int
    traffic: Mapping[str, Traffic]

    @property
    def accepted(self) -> int:
        return sum(self.stages.values())

    @property
    def archived(self) -> int:
        return self.stages["archived"]


def count(
    cases: Sequence[Json],
    work_orders: Sequence[Json],
    records: Sequence[Json],
    before: Mapping[str, Backlog],
    after: Mapping[str, Backlog],
) -> Figures:
    """The figures of the cases that were played, with what belongs to them."""
    stages = Counter(case["stage"].removeprefix(_STAGE).lower() for case in cases)
    scores = Counter(case["satisfaction"] for case in cases if case["satisfaction"])
    return Figures(
        stages={stage: stages[stage] for stage in STAGES},
        withdrawn=sum(case["outcome"] == "CASE_OUTCOME_WITHDRAWN" for case in cases),
        confirmed_by_default=sum(case["confirmation"] == "CONFIRMATION_BY_DEFAULT" for case in cases),
        reopened=sum(case["reopened_times"] > 0 for case in cases),
        linked=sum(bool(case["repeat_of"]) for case in cases),
        clocks=_clocks(watched for entries in (cases, work_orders) for watched in entries),
        satisfaction=Satisfaction(
            sent=sum(bool(case["result"]) for case in cases), scores={score: scores[score] for score in SCORES}
        ),
        visits=len(work_orders),
        visits_failed=sum(order["state"] == "WORK_ORDER_STATE_FAILED" for order in work_orders),
        visits_reassigned=sum(order["reassigned_times"] > 0 for order in work_orders),
        records=len(records),
        records_complete=sum(record["complete"] for record in records),
        traffic={
            service: Traffic(
                published=backlog.outbox_published - before[service].outbox_published,
                consumed=backlog.inbox_handled - before[service].inbox_handled,
            )
            for service, backlog in after.items()
        },
    )


def _clocks(watched: Iterable[Json]) -> dict[str, ClockFigures]:
    figures: dict[str, ClockFigures] = {}
    for entry in watched:
        for clock in entry["clocks"]:
            counted = figures.setdefault(clock["name"], ClockFigures())
            match clock["state"]:
                case "CLOCK_STATE_MET":
                    counted.met += 1
                case "CLOCK_STATE_MISSED":
                    counted.missed += 1
                case _:
                    counted.other += 1
            counted.warned += clock["warned_percent"] > 0
    return figures


def as_dict(figures: Figures) -> dict[str, Any]:
    """The figures for scripts."""
    satisfaction = figures.satisfaction
    return {
        "accepted": figures.accepted,
        "archived": figures.archived,
        "stages": dict(figures.stages),
        "withdrawn": figures.withdrawn,
        "confirmed_by_default": figures.confirmed_by_default,
        "reopened": figures.reopened,
        "linked": figures.linked,
        "visits": {
            "total": figures.visits,
            "failed": figures.visits_failed,
            "reassigned": figures.visits_reassigned,
        },
        "clocks": {name: vars(counted) for name, counted in figures.clocks.items()},
        "satisfaction": {
            "sent": satisfaction.sent,
            "answered": satisfaction.answered,
            "response_percent": round(satisfaction.response_percent, 1),
            "mean": round(satisfaction.mean, 2),
            "scores": {str(score): number for score, number in satisfaction.scores.items()},
        },
        "records": {"filed": figures.records, "complete": figures.records_complete},
        "events": {service: vars(traffic) for service, traffic in figures.traffic.items()},
    }

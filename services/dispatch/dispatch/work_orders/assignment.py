"""Who gets a work order (DSP-02, DSP-04). Pure: engineers in, a choice with its reasons out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicekit.regions import regions_upwards

from dispatch.engineers.engineer import Engineer, Qualification
from dispatch.policy import Policy

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Need:
    """What a work order asks of the person."""

    region: str
    skill: str
    level: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engineer with their qualification in the skill that is needed, if they have one."""

    engineer: Engineer
    qualification: Qualification | None


class Obstacle(StrEnum):
    """What keeps a person from a work order, in the order in which it is looked at."""

    NOT_QUALIFIED = "not_qualified"
    OFF_SHIFT = "off_shift"
    OUTSIDE_TERRITORY = "outside_territory"
    AT_CAPACITY = "at_capacity"
    DECLINED = "declined"


# Why nobody gets it: the obstacle at which the last one was lost.
NOBODY_BECAUSE: Mapping[Obstacle, str] = {
    Obstacle.NOT_QUALIFIED: "no_qualified_engineer",
    Obstacle.OFF_SHIFT: "none_on_shift",
    Obstacle.OUTSIDE_TERRITORY: "none_in_territory",
    Obstacle.AT_CAPACITY: "all_at_capacity",
    Obstacle.DECLINED: "all_declined",
}
ONLY_CANDIDATE = "only_candidate"


@dataclass(frozen=True, slots=True)
class Choice:
    """The engineer, and the codes of what set them apart from the other suitable ones."""

    engineer: Engineer
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nobody:
    """The code that says why nobody can do it now, and how many failed at which obstacle."""

    reason: str
    counts: Mapping[str, int]


def obstacle(need: Need, candidate: Candidate, policy: Policy, now: datetime) -> Obstacle | None:
    """The first thing that keeps this person from the work at this moment; None when nothing does."""
    engineer, qualification = candidate.engineer, candidate.qualification
    if qualification is None or not qualification.covers(need.skill, need.level, ranks=policy.ranks, now=now):
        return Obstacle.NOT_QUALIFIED
    if not engineer.on_shift:
        return Obstacle.OFF_SHIFT
    if engineer.territory not in regions_upwards(need.region):
        return Obstacle.OUTSIDE_TERRITORY
    if engineer.open_work_orders >= policy.capacity:
        return Obstacle.AT_CAPACITY
    return None


def choose(
    need: Need,
    candidates: Iterable[Candidate],
    policy: Policy,
    now: datetime,
    *,
    declined: Set[UUID] = frozenset(),
    ask_again: bool = False,
) -> Choice | Nobody:
    """The best suitable engineer: closest territory, then fewest open work orders, then longest without a new one.

    Those who `declined` it are passed over; with `ask_again` they get it when there is nobody else.
    """
    counts: Counter[str] = Counter()
    suitable: list[Engineer] = []
    for candidate in candidates:
        found = obstacle(need, candidate, policy, now)
        if found is None:
            suitable.append(candidate.engineer)
        else:
            counts[found] += 1
    willing = [engineer for engineer in suitable if engineer.engineer_id not in declined]
    if willing or (suitable and ask_again):
        return _best(willing or suitable)
    if suitable:
        counts[Obstacle.DECLINED] = len(suitable)
    last = next((found for found in reversed(Obstacle) if counts[found]), Obstacle.NOT_QUALIFIED)
    return Nobody(NOBODY_BECAUSE[last], counts)


# Smallest first; each one counts only between those whom the ones before it left equal.
_CRITERIA: tuple[tuple[str, Callable[[Engineer], Any]], ...] = (
    ("nearest_territory", lambda engineer: -engineer.territory.count(".")),
    ("least_loaded", lambda engineer: engineer.open_work_orders),
    ("longest_without_work", lambda engineer: engineer.last_assigned_at or LONG_AGO),
    ("first_by_id", lambda engineer: engineer.engineer_id),
)


def _best(suitable: list[Engineer]) -> Choice:
    if len(suitable) == 1:
        return Choice(suitable[0], (ONLY_CANDIDATE,))
    reasons = []
    left = suitable
    for name, key in _CRITERIA:
        best = min(map(key, left))
        equal = [engineer for engineer in left if key(engineer) == best]
        if len(equal) < len(left):
            reasons.append(name)
        left = equal
    return Choice(left[0], tuple(reasons))

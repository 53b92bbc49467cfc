"""What dispatch takes from the standards: words that must be known, and figures that decide."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from servicekit.errors import Fault
from standards.models import OpeningHours, Visit

from standards import Standards

CAPACITY = "open_work_orders_per_engineer"
# Clocks of standards/clocks.yaml whose limits are counted back from the appointed time.
APPOINTMENT_REMINDER = "appointment_reminder"
APPOINTMENT_ASSIGNMENT = "appointment_assignment"
SLOT_HOLD = "slot_hold"


@dataclass(frozen=True, slots=True)
class SlotPolicy:
    """How appointments are offered (DSP-05)."""

    # Slots of this length follow each other within these hours.
    length: timedelta
    hours: OpeningHours
    # How near and how far ahead a slot may begin when it is held.
    lead: timedelta
    horizon: timedelta
    # How long it is held.
    hold: timedelta
    # How long before the appointed time an engineer is assigned.
    assignment_lead: timedelta
    # How many other slots are offered when one cannot be had.
    alternatives: int

    @classmethod
    def of(cls, standards: Standards) -> Self:
        hours = standards.calendars.calendars["shop_hours"].hours
        assert hours is not None, "the standards refuse shop hours without hours"
        return cls(
            length=standards.windows["appointment_slot"].length,
            hours=hours,
            lead=standards.clock(APPOINTMENT_REMINDER).limit,
            horizon=standards.windows["appointment_horizon"].length,
            hold=standards.clock(SLOT_HOLD).limit,
            assignment_lead=standards.clock(APPOINTMENT_ASSIGNMENT).limit,
            alternatives=int(standards.thresholds["appointment_alternatives"].value),
        )


OUTAGE_LEVEL = "outage_level"


@dataclass(frozen=True, slots=True)
class Policy:
    """The standards as dispatch needs them."""

    # Rank of each level; a higher one includes the lower ones.
    ranks: Mapping[str, int]
    # How many open work orders one engineer is given by the machine.
    capacity: int
    skills: Collection[str]
    regions: Collection[str]
    # What a visit needs by default, by service category.
    visits: Mapping[str, Visit]
    slots: SlotPolicy
    # Service categories, as incidents name what they disturb.
    categories: Collection[str]
    # Emergency level at which a mass outage begins (DSP-06).
    outage_level: int

    @classmethod
    def of(cls, standards: Standards) -> Self:
        return cls(
            ranks={name: level.rank for name, level in standards.levels.engineers.items()},
            capacity=int(standards.thresholds[CAPACITY].value),
            skills=frozenset(standards.skills),
            regions=frozenset(standards.regions),
            visits=standards.visits,
            slots=SlotPolicy.of(standards),
            categories=frozenset(standards.categories),
            outage_level=int(standards.thresholds[OUTAGE_LEVEL].value),
        )

    def require_known(
        self, *, skill: str | None = None, level: str | None = None, region: str | None = None, field: str | None = None
    ) -> None:
        """Raises Fault skill_unknown, level_unknown or region_unknown for a word that the standards don't have."""
        if skill is not None and skill not in self.skills:
            raise Fault("skill_unknown", field=field, skill=skill)
        if level is not None and level not in self.ranks:
            raise Fault("level_unknown", field=field, level=level)
        if region is not None and region not in self.regions:
            raise Fault("region_unknown", field=field, region=region)

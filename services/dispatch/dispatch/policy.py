"""What dispatch takes from the standards: words that must be known, and figures that decide."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

from servicekit.errors import Fault

from standards import Standards

CAPACITY = "open_work_orders_per_engineer"
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

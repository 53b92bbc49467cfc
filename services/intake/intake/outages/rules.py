"""When many fault reports are one mass outage (INT-15). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from servicekit.regions import regions_upwards

from intake.outages.outage import Outage, State
from standards import Standards


@dataclass(frozen=True, order=True)
class Area:
    """Where reports are counted together: the same service in the same region."""

    region: str
    category: str


@dataclass(frozen=True)
class Sightings:
    """Faults of one area, reported in the window, that nobody has solved yet."""

    # How many customers have reported one; each counts once.
    customers: int
    first_at: datetime


@dataclass(frozen=True)
class MassRule:
    """From standards/thresholds.yaml: so many customers of one area in so short a time."""

    window: timedelta
    customers: int

    @classmethod
    def of(cls, standards: Standards) -> Self:
        return cls(standards.windows["outage"].length, int(standards.thresholds["outage_reports"].value))

    def is_mass(self, seen: Sightings) -> bool:
        """Whether that is one outage rather than many faults."""
        return seen.customers >= self.customers


def covering(area: Area, outages: Iterable[Outage]) -> Outage | None:
    """The first outage known for this area or a region above it; one that is only asked for counts too."""
    regions = regions_upwards(area.region)
    return next(
        (
            outage
            for outage in outages
            if outage.region in regions
            and area.category in outage.categories
            and outage.state in {State.ASKED, State.OPEN}
        ),
        None,
    )

"""The emergency ladder: who is told at each level, and by which clock they must answer (DSP-06). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from servicekit.regions import regions_upwards
from standards.models import Region

from standards import Standards


@dataclass(frozen=True, slots=True)
class Rung:
    """One level of the ladder for one region."""

    level: int
    # Clock of standards/clocks.yaml that runs until somebody is in command.
    clock: str
    # User id of who is told, and answers for it.
    commander: str


class Ladder:
    """The levels of standards/levels.yaml with the people of standards/regions.yaml."""

    def __init__(self, levels: Mapping[int, tuple[str, str]], regions: Mapping[str, Region]) -> None:
        # By level: the clock, and the kind of commander.
        self._levels = levels
        self._regions = regions

    @classmethod
    def of(cls, standards: Standards) -> Self:
        return cls(
            {each.level: (each.response_clock, each.commander) for each in standards.levels.emergency.values()},
            standards.regions,
        )

    @property
    def clocks(self) -> tuple[str, ...]:
        """Every clock that a level may run."""
        return tuple(clock for clock, _ in self._levels.values())

    @property
    def highest(self) -> int:
        """The level above which there is nobody: the lower the number, the worse the incident."""
        return min(self._levels)

    @property
    def lowest(self) -> int:
        return max(self._levels)

    def rung(self, level: int, region: str) -> Rung:
        clock, commander = self._levels[level]
        place = self._regions[region]
        match commander:
            case "staff_on_duty":
                told = place.duty_owner
            case "regional_centre":
                told = place.supervisor
            case _:
                told = self._regions[regions_upwards(region)[-1]].supervisor
        return Rung(level, clock, told)

    def above(self, level: int, region: str) -> Rung | None:
        """The next one up; None at the top."""
        higher = [each for each in self._levels if each < level]
        return self.rung(max(higher), region) if higher else None

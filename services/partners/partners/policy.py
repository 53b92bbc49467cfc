"""What the partners service takes from the standards."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from servicekit.errors import Fault

from standards import Standards

# Clock of standards/clocks.yaml.
PARTNER_ACCESS = "partner_access"
_SLACK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Policy:
    """The standards as partners and webhooks need them."""

    regions: Collection[str]
    # Pauses after the first failed attempt, the second, …; afterwards a delivery is given up.
    retry_pauses: tuple[timedelta, ...]
    secret_overlap: timedelta
    history_kept: timedelta
    regions_kept: timedelta
    # Without a success; then an endpoint that fails is disabled.
    failing_at_most: timedelta
    concurrency: int
    request_seconds: float

    @classmethod
    def of(cls, standards: Standards) -> Self:
        figures = standards.thresholds
        return cls(
            regions=frozenset(standards.regions),
            retry_pauses=standards.schedules["webhook"].pauses,
            secret_overlap=standards.windows["webhook_secret_overlap"].length,
            history_kept=standards.windows["webhook_history"].length,
            regions_kept=standards.windows["partner_region"].length,
            failing_at_most=standards.windows["webhook_failing"].length,
            concurrency=int(figures["webhook_concurrency"].value),
            request_seconds=float(figures["webhook_seconds"].value),
        )

    @property
    def lease_seconds(self) -> float:
        """Longer than an attempt may take and be written down, however slow the database is."""
        return 2 * self.request_seconds + _SLACK_SECONDS

    def require_region(self, region: str) -> None:
        """Raises Fault region_unknown."""
        if region not in self.regions:
            raise Fault("region_unknown", field="scope.domain", region=region)

"""What complaints' use cases work with beside their transaction."""

from dataclasses import dataclass

from servicekit.sealing import Sealer

from complaints.complaints.rules import Severity
from complaints.proposals import Proposer
from standards import Standards


@dataclass(frozen=True)
class Desk:
    """Built once by the composition root."""

    standards: Standards
    sealer: Sealer
    proposer: Proposer

    def severity(self, name: str, region: str) -> Severity:
        """A severity of the standards, with the leader who answers for it in the region (CMP-03)."""
        standard = self.standards.classes.complaint_severities[name]
        leader = self.standards.regions[region].supervisor if standard.alerts_management else ""
        return Severity(name, standard.response_clock, standard.alerts_management, leader)

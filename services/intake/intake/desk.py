"""What intake's use cases work with beside their transaction."""

from dataclasses import dataclass

from servicekit.sealing import Sealer

from intake.proposals import Proposer
from standards import Standards


@dataclass(frozen=True)
class Desk:
    """Built once by the composition root."""

    standards: Standards
    sealer: Sealer
    proposer: Proposer

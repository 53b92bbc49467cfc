"""The manuals' figures as validated, versioned data: clocks, targets, classes, levels, weights, retention."""

from standards.documents import StandardsError
from standards.loader import load
from standards.models import ClockStandard
from standards.standard_set import Standards
from standards.values import Language, label_of

__all__ = ["ClockStandard", "Language", "Standards", "StandardsError", "label_of", "load"]

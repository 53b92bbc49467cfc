"""One error type for the whole platform, and the catalogue of everything that can go wrong."""

from servicekit.errors.catalogue import Definition, FaultText, definition, definitions
from servicekit.errors.fault import Fault, FieldViolation

__all__ = ["Definition", "Fault", "FaultText", "FieldViolation", "definition", "definitions"]

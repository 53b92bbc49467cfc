"""Exams: papers drawn by blueprint, taken against a clock, marked (TRN-04)."""

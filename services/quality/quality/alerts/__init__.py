"""Alerts of figures that are out of bounds (QLT-03)."""

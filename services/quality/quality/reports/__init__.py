"""The reports of periods (QLT-08)."""

"""The course catalogue (TRN-01)."""

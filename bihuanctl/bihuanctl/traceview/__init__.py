"""The whole life of a case as a timeline in the terminal (TRC-01)."""

"""Measurements, as ratios to a floor taken in the same run. Not tests: nothing here passes or fails."""

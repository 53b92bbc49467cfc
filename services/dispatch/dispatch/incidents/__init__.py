"""Incidents: one disturbance of the network that concerns many (DSP-06, DSP-07, INT-15)."""

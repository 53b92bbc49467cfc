"""Alarms of the network, as monitoring systems report them (DSP-07)."""

"""Checks what comes out of a Bihuan archive, offline, without trusting where it came from (REC-04, REC-07)."""

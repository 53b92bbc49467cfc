"""Traces, logs and metrics: set up once per process, named in one place (names.py)."""

from servicekit.telemetry.setup import setup, shutdown

__all__ = ["setup", "shutdown"]

"""What is measured of the outbox and of the consumers; the names and their meaning are in `telemetry/names.py`."""

from __future__ import annotations

from opentelemetry import metrics

from servicekit.telemetry import names

_meter = metrics.get_meter("servicekit.messaging")

outbox_waiting = _meter.create_gauge(names.OUTBOX_WAITING, unit="{row}")
outbox_parked = _meter.create_gauge(names.OUTBOX_PARKED, unit="{row}")
outbox_oldest = _meter.create_gauge(names.OUTBOX_OLDEST, unit="s")
consumer_lag = _meter.create_gauge(names.CONSUMER_LAG, unit="{message}")
consumed = _meter.create_counter(names.CONSUMED, unit="{message}")

"""Telling when the bus is away from when a message is wrong."""

from __future__ import annotations

import nats.errors
import nats.js.errors


class BusAwayError(Exception):
    """NATS cannot be reached, or did not answer in time; the same again later may succeed."""


class PublishRefusedError(Exception):
    """NATS will never take this message as it is.

    It is too large for the server, too large (or its headers are) for the stream, or forbidden for this user.
    """


# What NATS and its client raise when the bus is away.
BUS_TROUBLE = (
    BusAwayError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.ConnectionDrainingError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.StaleConnectionError,
    nats.errors.TimeoutError,
    nats.errors.NoRespondersError,
    nats.js.errors.ServiceUnavailableError,
    nats.js.errors.ServerError,
    nats.js.errors.NoStreamResponseError,
)


def is_bus_trouble(error: BaseException) -> bool:
    """Whether `error` only says that the bus is away, so that the same again later may succeed."""
    return isinstance(error, BUS_TROUBLE)

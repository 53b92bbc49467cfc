"""Whatever a use case raises leaves the service as a fault; defects are logged here and nowhere shown."""

from __future__ import annotations

import structlog

from servicekit.errors import Fault

_log = structlog.get_logger(__name__)


def as_fault(error: Exception, method: str) -> Fault:
    """The fault to tell the caller. Anything else is a defect: logged with stack and trace id, told as `internal`."""
    if isinstance(error, Fault):
        return error
    _log.error("call_failed", method=method, exc_info=error)
    return Fault("internal")

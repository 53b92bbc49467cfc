"""Faults as gRPC statuses and back (google.rpc.ErrorInfo, AIP-193), so that both sides of a call see the same fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc
import grpc.aio
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status

from servicekit.errors import Fault, FieldViolation, definitions

DOMAIN: Final = "bihuan"
_DETAILS_KEY: Final = "grpc-status-details-bin"
_FIELD_KEY: Final = "field"
# Peers take 8 kB of trailing metadata: the first problems are enough to begin with.
_MOST_VIOLATIONS: Final = 12
_MOST_PARAM_CHARACTERS: Final = 200

# What a status without our details means: it comes from gRPC itself, or from a service that is newer than we are.
_BY_STATUS: Final[Mapping[grpc.StatusCode, str]] = {
    grpc.StatusCode.INVALID_ARGUMENT: "invalid_argument",
    grpc.StatusCode.NOT_FOUND: "not_found",
    grpc.StatusCode.UNAUTHENTICATED: "unauthenticated",
    grpc.StatusCode.PERMISSION_DENIED: "role_forbidden",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "rate_limited",
    grpc.StatusCode.ABORTED: "stale_version",
    grpc.StatusCode.UNIMPLEMENTED: "method_unknown",
    grpc.StatusCode.UNAVAILABLE: "unavailable",
    grpc.StatusCode.DEADLINE_EXCEEDED: "deadline_exceeded",
    # Our own cancellation never comes as a status: the service went away in the middle of the call.
    grpc.StatusCode.CANCELLED: "unavailable",
}


def to_status(fault: Fault) -> status_pb2.Status:
    """The status that carries `fault` to the caller."""
    info = error_details_pb2.ErrorInfo(reason=fault.code, domain=DOMAIN)
    info.metadata.update({name: value[:_MOST_PARAM_CHARACTERS] for name, value in fault.params.items()})
    if fault.field:
        info.metadata[_FIELD_KEY] = fault.field[:_MOST_PARAM_CHARACTERS]
    # The title shows no parameters, so that the message stays short; whoever knows us reads the details.
    status = status_pb2.Status(
        code=code_pb2.Code.Value(fault.definition.grpc_status), message=fault.definition.texts["en"].title
    )
    status.details.add().Pack(info)
    if fault.violations:
        bad = error_details_pb2.BadRequest()
        for violation in fault.violations[:_MOST_VIOLATIONS]:
            bad.field_violations.add(field=violation.field, reason=violation.rule, description=violation.message)
        status.details.add().Pack(bad)
    return status


def to_grpc_status(fault: Fault) -> grpc.Status:
    """The same, to end a call with."""
    converted: grpc.Status = rpc_status.to_status(to_status(fault))
    return converted


def to_rpc_error(status: status_pb2.Status) -> grpc.aio.AioRpcError:
    """The error of a call that ends with this status."""
    ended = rpc_status.to_status(status)
    trailing = grpc.aio.Metadata(*ended.trailing_metadata)
    return grpc.aio.AioRpcError(ended.code, grpc.aio.Metadata(), trailing, ended.details)


def from_rpc_error(error: grpc.aio.AioRpcError) -> Fault:
    """The fault that a failed call carries; where it carries none, the one that its status amounts to."""
    details = dict(error.trailing_metadata() or ()).get(_DETAILS_KEY)
    carried = _carried(details) if isinstance(details, bytes) else None
    return carried or Fault(_BY_STATUS.get(error.code(), "internal"))


def _carried(details: bytes) -> Fault | None:
    status = status_pb2.Status.FromString(details)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        for message in (info, bad):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    if info.domain != DOMAIN or info.reason not in definitions():
        return None
    params = dict(info.metadata)
    fault = Fault(info.reason, field=params.pop(_FIELD_KEY, None), **params)
    fault.violations = tuple(
        FieldViolation(violation.field, violation.reason, violation.description) for violation in bad.field_violations
    )
    return fault

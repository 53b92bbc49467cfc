"""Calling the services of a running platform directly, past the gateway, as anybody in any role."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import jwt
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

# Served by every service for itself.
EVERYWHERE = "bihuan.platform.v1"
_PATIENCE_SECONDS = 60


class Callers:
    """Tokens of people in any roles, signed with the platform's own key as its issuer would."""

    def __init__(self, issuer_folder: Path, issuer_url: str) -> None:
        self._key = (issuer_folder / "signing_key.pem").read_bytes()
        self._known = jwt.PyJWKSet.from_json((issuer_folder / "jwks.json").read_text()).keys[0].key_id
        self._issuer = issuer_url

    def token(self, *roles: str, domain: str) -> str:
        claims = {
            "iss": self._issuer,
            "aud": "bihuan",
            "sub": f"caller-{roles[0]}",
            "exp": int(time.time()) + 3600,
            "roles": list(roles),
            "domain": domain,
            # One that has nothing yet.
            **({"customer_id": str(uuid4())} if roles == ("customer",) else {}),
        }
        return jwt.encode(claims, self._key, "ES256", headers={"kid": self._known, "typ": "at+jwt"})


class Services:
    """Channels to every service of a platform."""

    def __init__(self, channels: dict[str, grpc.Channel]) -> None:
        self._channels = channels

    def serving(self, operation: MethodDescriptor) -> list[str]:
        """Names of the services that serve the operation."""
        package = operation.containing_service.file.package
        return list(self._channels) if package == EVERYWHERE else [package.split(".")[1]]

    def answer(self, service: str, operation: MethodDescriptor, request: Message, token: str = "") -> tuple[str, Any]:
        """The error's code, or empty, and the answer to a call; of a stream, its messages."""
        channel = self._channels[service]
        call = (channel.unary_stream if operation.server_streaming else channel.unary_unary)(
            f"/{operation.containing_service.full_name}/{operation.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(operation.output_type).FromString,
        )
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        try:
            answer = call(request, timeout=_PATIENCE_SECONDS, metadata=metadata)
            return "", list(answer) if operation.server_streaming else answer
        except grpc.RpcError as error:
            return _code(error), None


@contextmanager
def services_of(targets: dict[str, str]) -> Iterator[Services]:
    """The services by their addresses, as long as the block lasts."""
    channels = {name: grpc.insecure_channel(target) for name, target in targets.items()}
    try:
        yield Services(channels)
    finally:
        for channel in channels.values():
            channel.close()


def _code(error: Any) -> str:
    """The reason in the catalogue's words; every refusal of ours has one."""
    status = rpc_status.from_call(error)
    assert status is not None, error
    reason = reason_in(status)
    assert reason, f"a refusal without a reason: {error}"
    return reason


def reason_in(status: status_pb2.Status) -> str:
    """The catalogue's word for a refusal; empty without one."""
    info = error_details_pb2.ErrorInfo()
    return next((info.reason for detail in status.details if detail.Unpack(info)), "")

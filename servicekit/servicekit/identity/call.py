"""The call that is being served: who asks, in which language, until when."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import grpc.aio

from servicekit.errors import Fault
from servicekit.identity.principal import Principal
from servicekit.languages import DEFAULT_LANGUAGE, Language


@dataclass(slots=True)
class Call:
    """What is known about the call that this task serves."""

    # Full method, `bihuan.intake.v1.CaseService/OpenCase`.
    method: str
    language: Language
    # On the clock of time.monotonic().
    deadline: float
    # The caller's own header, passed on when this service asks another one on their behalf.
    authorization: str = ""
    # None until they are known, and in public methods called without a token.
    principal: Principal | None = None


_current: Final[ContextVar[Call | None]] = ContextVar("servicekit.call", default=None)


def serve_call(call: Call) -> None:
    """Makes `call` the current one of this task. gRPC serves every call in a task of its own: nothing to undo."""
    _current.set(call)


def current_call() -> Call | None:
    """The call that this task serves, or None outside of one (reactions, clocks, commands)."""
    return _current.get()


def caller(_context: grpc.aio.ServicerContext) -> Principal:  # type: ignore[type-arg]  # any message types
    """Who makes the call of this context. Raises Fault unauthenticated in a public method called without a token."""
    call = _current.get()
    if call is None or call.principal is None:
        raise Fault("unauthenticated")
    return call.principal


def language(_context: grpc.aio.ServicerContext) -> Language:  # type: ignore[type-arg]  # any message types
    """The caller's language: metadata `accept-language`, else the token's locale, else zh-CN."""
    call = _current.get()
    return call.language if call else DEFAULT_LANGUAGE

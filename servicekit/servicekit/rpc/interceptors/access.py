"""Who is calling, and may they call this method at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from servicekit.errors import Fault
from servicekit.identity.access import AccessRule
from servicekit.identity.principal import Principal

Verify = Callable[[str], Awaitable[Principal]]
"""Turns a token into the principal it speaks for: TokenVerifier.verify."""

_SCHEME: Final = "bearer"


async def admit(authorization: str, rule: AccessRule, verify: Verify) -> Principal | None:
    """The caller, by the metadata `authorization`; None in a public method called without it.

    Raises Fault unauthenticated, token_invalid, token_expired or role_forbidden.
    """
    principal = None
    if authorization:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != _SCHEME:
            raise Fault("token_invalid")
        principal = await verify(token.strip())
    rule.require(principal)
    return principal

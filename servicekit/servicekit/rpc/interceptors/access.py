"""Who is calling, and may they call this method at all."""

from __future__ import annotations

from typing import Final, Protocol

from servicekit.errors import Fault
from servicekit.identity.access import AccessRule
from servicekit.identity.principal import Principal


class Verifier(Protocol):
    """Turns tokens into the principals they speak for: servicekit.identity.TokenVerifier."""

    async def verify(self, token: str) -> Principal: ...


_SCHEME: Final = "bearer"


async def admit(authorization: str, rule: AccessRule, tokens: Verifier) -> Principal | None:
    """The caller, by the metadata `authorization`; None in a public method called without it.

    Raises Fault unauthenticated, token_invalid, token_expired or role_forbidden.
    """
    principal = None
    if authorization:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != _SCHEME:
            raise Fault("token_invalid")
        principal = await tokens.verify(token.strip())
    rule.require(principal)
    return principal

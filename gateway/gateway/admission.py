"""Who may come in: a valid token, and not too many requests. What they may do is decided by the services (GWY-08)."""

from __future__ import annotations

from typing import Final

from servicekit.errors import Fault
from servicekit.identity.tokens import TokenVerifier
from starlette.requests import Request

from gateway.limits import Rate, RateLimits
from gateway.settings import GatewaySettings

# A pause lets a caller save up this many seconds of their rate.
BURST_SECONDS: Final = 2


class Admission:
    """Verifies the caller of every request and counts it against their rate."""

    def __init__(self, settings: GatewaySettings, verifier: TokenVerifier, limits: RateLimits) -> None:
        self._verifier = verifier
        self._limits = limits
        self._person = _rate(settings.person_rate)
        self._client = _rate(settings.client_rate)
        self._anonymous = _rate(settings.anonymous_rate)

    async def admit(self, request: Request, *, public: bool) -> str:
        """Lets a request in; the caller is kept in `request.state.principal`.

        Gives the Authorization header to pass on, empty for a public call without a token. Raises Fault
        unauthenticated, token_invalid, token_expired, rate_limited, or unavailable while the issuer's keys can't be
        read.
        """
        token = _bearer_token(request)
        if not token:
            self.count_anonymous(request)
            if public:
                return ""
            raise Fault("unauthenticated")
        return await self.admit_token(request, token)

    async def admit_token(self, request: Request, token: str) -> str:
        """Lets in a request of whoever `token` was issued to; the same as `admit` otherwise."""
        try:
            principal = await self._verifier.verify(token)
        except Fault:
            self.count_anonymous(request)
            raise
        request.state.principal = principal
        rate = self._client if principal.has("channel", "partner") else self._person
        self._limits.take(principal.user_id, rate)
        return f"Bearer {token}"

    def count_anonymous(self, request: Request) -> None:
        """Counts a request of nobody we know against its network address. Raises Fault rate_limited."""
        host = request.client.host if request.client else ""
        self._limits.take(f"address {host}", self._anonymous)


def _rate(per_second: float) -> Rate:
    return Rate(per_second, burst=max(1, round(per_second * BURST_SECONDS)))


def _bearer_token(request: Request) -> str:
    """The token of the Authorization header; empty without one.

    Raises Fault token_invalid for another scheme, and for two headers, of which a proxy before us may go by the other.
    """
    given = request.headers.getlist("authorization")
    if len(given) > 1:
        raise Fault("token_invalid")
    scheme, _, token = "".join(given).partition(" ")
    if scheme and (scheme.lower() != "bearer" or not token.strip()):
        raise Fault("token_invalid")
    return token.strip()

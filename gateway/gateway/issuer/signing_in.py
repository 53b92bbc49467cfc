"""Checks user names and passwords, in a thread and not too often."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request

from gateway.admission import Admission
from gateway.issuer.registry import Client, Person, Registry
from gateway.limits import Rate, RateLimits

# One name from one address: a person mistypes, a program guesses.
ATTEMPTS: Final = Rate(per_second=1, burst=20)
# Every check takes 16 MiB and most of a core.
_SIDE_BY_SIDE: Final = 4


class SigningIn:
    """Raises Fault rate_limited for too many attempts; gives None when name and password don't belong together."""

    def __init__(self, registry: Registry, admission: Admission, limits: RateLimits) -> None:
        self._registry = registry
        self._admission = admission
        self._limits = limits
        self._checks = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def person(self, request: Request, user: str, password: str) -> Person | None:
        self._count(request, user)
        async with self._checks:
            return await asyncio.to_thread(self._registry.sign_in, user, password)

    async def client(self, request: Request, client: str, secret: str) -> Client | None:
        self._count(request, client)
        async with self._checks:
            return await asyncio.to_thread(self._registry.authenticate, client, secret)

    def _count(self, request: Request, name: str) -> None:
        self._admission.count_anonymous(request)
        host = request.client.host if request.client else ""
        self._limits.take(f"sign-in {host} {name}", ATTEMPTS)

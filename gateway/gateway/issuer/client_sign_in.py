"""Systems that can send nothing but HTTP Basic with every request, such as voice platforms, and their access tokens."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

from servicekit.errors import Fault
from starlette.requests import Request

from gateway.issuer.signing_in import SigningIn
from gateway.issuer.tokens import LIFETIME_SECONDS, Tokens

# A token is used again for so long; the rest of its life is for the calls under way.
_KEPT_SECONDS: Final = LIFETIME_SECONDS / 2


class ClientSignIn:
    """Keeps the tokens of clients that signed in: checking a secret takes most of a core, and a call has many pages."""

    def __init__(self, signing_in: SigningIn, tokens: Tokens, now: Callable[[], float] = time.monotonic) -> None:
        self._signing_in = signing_in
        self._tokens = tokens
        self._now = now
        # By digest of name and secret: token, and until when it is kept. As many as there are clients.
        self._kept: dict[bytes, tuple[str, float]] = {}

    async def token(self, request: Request, client: str, secret: str) -> str:
        """An access token of the client with this secret. Raises Fault sign_in_refused or rate_limited."""
        credentials = hashlib.sha256(f"{len(client)}:{client}:{secret}".encode()).digest()
        token, until = self._kept.get(credentials, ("", 0.0))
        if self._now() < until:
            return token
        known = await self._signing_in.client(request, client, secret)
        if known is None:
            raise Fault("sign_in_refused")
        token = self._tokens.for_client(known)
        self._kept[credentials] = (token, self._now() + _KEPT_SECONDS)
        return token

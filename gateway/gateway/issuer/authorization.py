"""Authorization codes: what a signed-in person's browser carries back to the app, good once and for a minute.

Kept in the memory of this process: the built-in issuer is for one gateway. PKCE (RFC 7636, S256) ties a code to the app
that asked for it, and is required of everybody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.issuer.registry import Person

LIFETIME_SECONDS: Final = 60.0
MOST_CODES: Final = 10_000
CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for."""

    person: Person
    client: str
    redirect_uri: str
    challenge: str
    nonce: str
    # OpenID Connect was asked for: an id token comes with the access token.
    openid: bool


class AuthorizationCodes:
    """The codes that are out."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._grants: dict[str, tuple[float, Grant]] = {}

    def issue(self, grant: Grant) -> str:
        """A fresh code for this grant."""
        now = self._now()
        # Oldest first: issued in order and all living equally long.
        for code, (ends, _) in list(self._grants.items()):
            if ends > now and len(self._grants) < MOST_CODES:
                break
            del self._grants[code]
        code = secrets.token_urlsafe(32)
        self._grants[code] = (now + LIFETIME_SECONDS, grant)
        return code

    def redeem(self, code: str, client: str, redirect_uri: str, verifier: str) -> Grant | None:
        """The grant behind a code, once; None when the code is unknown, over, or another's."""
        ends, grant = self._grants.pop(code, (0.0, None))
        if grant is None or ends <= self._now():
            return None
        if grant.client != client or grant.redirect_uri != redirect_uri:
            return None
        return grant if hmac.compare_digest(challenge_of(verifier), grant.challenge) else None


def challenge_of(verifier: str) -> str:
    """The S256 code challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

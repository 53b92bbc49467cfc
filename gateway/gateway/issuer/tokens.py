"""The tokens that the issuer gives: access tokens for the platform, id tokens for the app that signs somebody in."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from gateway.issuer.registry import Client, Person, Subject
from gateway.issuer.signing import SigningKey

LIFETIME_SECONDS: Final = 3600


class Tokens:
    """Issues tokens in the name of `issuer` for `audience`. Real time, never the platform's adjustable clock."""

    def __init__(self, key: SigningKey, issuer: str, audience: str, now: Callable[[], float] = time.time) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._now = now

    def for_person(self, person: Person, client: str = "") -> str:
        """An access token (RFC 9068) for a person, who signed in through `client` or by themselves."""
        return self._access(person, person.user, client)

    def for_client(self, client: Client) -> str:
        """An access token for a system that acts for itself."""
        return self._access(client, client.client, client.client)

    def identity(self, person: Person, client: str, nonce: str) -> str:
        """An id token (OpenID Connect Core §2): tells the app who signed in, and opens nothing."""
        claims = {"aud": client, "preferred_username": person.user, "locale": person.locale}
        if nonce:
            claims["nonce"] = nonce
        return self._key.sign(self._standard(person.user) | claims, "JWT")

    def _access(self, subject: Subject, name: str, client: str) -> str:
        claims: dict[str, Any] = {
            "aud": self._audience,
            "roles": list(subject.roles),
            "domain": subject.domain,
            "locale": subject.locale,
            "preferred_username": name,
            "jti": secrets.token_urlsafe(16),
        }
        if client:
            claims["client_id"] = client
        if subject.customer_id:
            claims["customer_id"] = subject.customer_id
        return self._key.sign(self._standard(name) | claims, "at+jwt")

    def _standard(self, name: str) -> dict[str, Any]:
        now = int(self._now())
        return {"iss": self._issuer, "sub": name, "iat": now, "exp": now + LIFETIME_SECONDS}

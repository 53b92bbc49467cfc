"""Signed tokens (OIDC access tokens in JWT form) become principals."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import jwt
from jwt import PyJWK
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from servicekit.errors import Fault
from servicekit.identity.keys import RENEW_AFTER_SECONDS, KeySet
from servicekit.identity.principal import ROLES, Principal
from servicekit.languages import as_language

# Asymmetric only: with a shared secret every service could sign tokens.
ALGORITHMS: Final = ("ES256", "RS256", "EdDSA")
# Clocks of machines differ a little.
LEEWAY_SECONDS: Final = 15
REMEMBERED_TOKENS: Final = 2048
_MOST_TOKEN_CHARACTERS: Final = 8192


class TokenVerifier:
    """Verifies tokens of one issuer for one audience.

    Verified tokens are remembered until they expire, and no longer than keys are, so that a withdrawn key counts.
    """

    def __init__(self, issuer: str, audience: str, jwks: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = KeySet(jwks)
        self._remembered: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """The principal that `token` speaks for.

        Raises Fault token_expired, token_invalid, or unavailable while the issuer's keys can't be read. Token times
        are real time, never the platform's adjustable clock.
        """
        known = self._remembered.get(token)
        if known is not None:
            if known[0] > time.time():
                self._remembered.move_to_end(token)
                return known[1]
            del self._remembered[token]
        claims = self._claims(token, await self._key(token))
        principal = _principal(claims)
        self._remembered[token] = (min(float(claims["exp"]), time.time() + RENEW_AFTER_SECONDS), principal)
        if len(self._remembered) > REMEMBERED_TOKENS:
            self._remembered.popitem(last=False)
        return principal

    async def _key(self, token: str) -> PyJWK:
        if len(token) > _MOST_TOKEN_CHARACTERS:
            raise Fault("token_invalid")
        try:
            header = jwt.get_unverified_header(token)
        except PyJWTError:
            raise Fault("token_invalid") from None
        if header.get("alg") not in ALGORITHMS:
            raise Fault("token_invalid")
        return await self._keys.key(header.get("kid"))

    def _claims(self, token: str, key: PyJWK) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[name for name in ALGORITHMS if name == key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except ExpiredSignatureError:
            raise Fault("token_expired") from None
        except PyJWTError:
            raise Fault("token_invalid") from None
        return claims


def _principal(claims: Mapping[str, Any]) -> Principal:
    """Raises Fault token_invalid when a claim is not of the expected form."""
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Fault("token_invalid")
    texts = {name: claims.get(name) or "" for name in ("sub", "domain", "customer_id", "locale")}
    if not texts["sub"] or not all(isinstance(text, str) for text in texts.values()):
        raise Fault("token_invalid")
    return Principal(
        user_id=texts["sub"],
        # Roles we don't know give nothing: a newer issuer may know more of them.
        roles=ROLES.intersection(roles),
        domain=texts["domain"],
        customer_id=texts["customer_id"] or None,
        language=as_language(texts["locale"]),
    )

"""POST /oidc/token: passwords, client secrets and authorization codes become tokens (RFC 6749, OpenID Connect)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from servicekit.errors import Fault
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.basic import credentials_of, is_basic
from gateway.forms import form_of
from gateway.issuer.authorization import AuthorizationCodes
from gateway.issuer.registry import Client, Registry
from gateway.issuer.signing_in import SigningIn
from gateway.issuer.tokens import LIFETIME_SECONDS, Tokens

_NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Refused(Exception):  # noqa: N818 -- the word of RFC 6749
    """An OAuth error. Its description is English: RFC 6749 §5.2 allows only ASCII there."""

    def __init__(self, error: str, description: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(error)
        self.description = description
        self.status = status


class TokenEndpoint:
    def __init__(self, registry: Registry, tokens: Tokens, codes: AuthorizationCodes, signing_in: SigningIn) -> None:
        self._registry = registry
        self._tokens = tokens
        self._codes = codes
        self._signing_in = signing_in
        self._grants = {
            "password": self._by_password,
            "client_credentials": self._by_secret,
            "authorization_code": self._by_code,
        }

    async def answer(self, request: Request) -> Response:
        """Answers with tokens, or with an OAuth error; too many attempts are a problem document with status 429."""
        try:
            try:
                form = await form_of(request)
            except Fault as fault:
                raise Refused("invalid_request", f"the body must be a form: {fault.code}") from fault
            grant = self._grants.get(form.get("grant_type", ""))
            if grant is None:
                raise Refused("unsupported_grant_type", f"grant_type must be one of: {', '.join(self._grants)}")
            issued = await grant(request, form)
        except Refused as refused:
            headers = dict(_NOT_KEPT)
            if refused.status == HTTPStatus.UNAUTHORIZED:
                headers["WWW-Authenticate"] = 'Basic realm="bihuan"'
            body = {"error": str(refused), "error_description": refused.description}
            return JSONResponse(body, refused.status, headers)
        return JSONResponse({**issued, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS}, headers=_NOT_KEPT)

    async def _by_password(self, request: Request, form: Mapping[str, str]) -> dict[str, str]:
        person = await self._signing_in.person(request, form.get("username", ""), form.get("password", ""))
        if person is None:
            raise Refused("invalid_grant", "the user name or the password is wrong")
        return {"access_token": self._tokens.for_person(person)}

    async def _by_secret(self, request: Request, form: Mapping[str, str]) -> dict[str, str]:
        name, secret = _client_credentials(request, form)
        client = await self._signing_in.client(request, name, secret)
        if client is None:
            raise Refused("invalid_client", "the client id or its secret is wrong", HTTPStatus.UNAUTHORIZED)
        return {"access_token": self._tokens.for_client(client)}

    async def _by_code(self, request: Request, form: Mapping[str, str]) -> dict[str, str]:
        client = await self._app(request, form)
        grant = self._codes.redeem(
            form.get("code", ""), client.client, form.get("redirect_uri", ""), form.get("code_verifier", "")
        )
        if grant is None:
            raise Refused("invalid_grant", "the code is unknown, used, over, or was given to another client")
        issued = {"access_token": self._tokens.for_person(grant.person, client.client)}
        if grant.openid:
            issued["id_token"] = self._tokens.identity(grant.person, client.client, grant.nonce)
        return issued

    async def _app(self, request: Request, form: Mapping[str, str]) -> Client:
        """The app that brings a code: a public one names itself, one with a secret proves itself."""
        name, secret = _client_credentials(request, form)
        client = self._registry.client(name)
        if client is not None and not client.is_public:
            client = await self._signing_in.client(request, name, secret)
        if client is None:
            raise Refused("invalid_client", "the client id or its secret is wrong", HTTPStatus.UNAUTHORIZED)
        return client


def _client_credentials(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret from HTTP Basic, else from the form (RFC 6749 §2.3.1)."""
    authorization = request.headers.get("authorization", "")
    if not is_basic(authorization):
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        return credentials_of(authorization)
    except ValueError as unreadable:
        raise Refused("invalid_client", str(unreadable), HTTPStatus.UNAUTHORIZED) from None

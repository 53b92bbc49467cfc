"""/oidc/authorize: an app sends a person here, and gets a code back once they have signed in (RFC 6749 §4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from servicekit.errors import Fault
from servicekit.languages import negotiate
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.forms import form_of, query_of
from gateway.issuer.authorization import CHALLENGE, AuthorizationCodes, Grant
from gateway.issuer.discovery import AUTHORIZE_PATH
from gateway.issuer.registry import Client, Person, Registry
from gateway.issuer.sign_in_page import page_headers, sign_in_page
from gateway.issuer.signing_in import SigningIn
from gateway.problems import language_of

# What goes through the sign-in page and comes back with it.
_KEPT: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "ui_locales",
)


class AuthorizeEndpoint:
    """GET shows the sign-in page, POST is the page's form."""

    def __init__(self, issuer: str, registry: Registry, codes: AuthorizationCodes, signing_in: SigningIn) -> None:
        self._issuer = issuer
        self._registry = registry
        self._codes = codes
        self._signing_in = signing_in

    async def show(self, request: Request) -> Response:
        """Raises Fault client_unknown or redirect_forbidden: then it is not safe to send anybody anywhere."""
        asked = query_of(request)
        client = self._client(asked)
        return self._objection(asked) or self._page(request, client, asked)

    async def sign_in(self, request: Request) -> Response:
        """Raises Fault as `show` does, and rate_limited."""
        form = await form_of(request)
        client = self._client(form)
        objection = self._objection(form)
        if objection is not None:
            return objection
        person = await self._signing_in.person(request, form.get("username", ""), form.get("password", ""))
        if person is None:
            return self._page(request, client, form, refused_user=form.get("username", ""))
        return self._redirect(form, {"code": self._codes.issue(_grant(person, client, form))})

    def _client(self, asked: Mapping[str, str]) -> Client:
        client = self._registry.client(asked.get("client_id", ""))
        if client is None or not client.redirect_uris:
            raise Fault("client_unknown", field="client_id")
        if not client.may_redirect_to(asked.get("redirect_uri", "")):
            raise Fault("redirect_forbidden", field="redirect_uri")
        return client

    def _objection(self, asked: Mapping[str, str]) -> Response | None:
        """The error that the app is told when it asked for something else than a code with PKCE."""
        if asked.get("response_type") != "code":
            return self._redirect(asked, {"error": "unsupported_response_type"})
        pkce = asked.get("code_challenge_method") == "S256" and CHALLENGE.fullmatch(asked.get("code_challenge", ""))
        if not pkce:
            description = "PKCE with S256 is required"
            return self._redirect(asked, {"error": "invalid_request", "error_description": description})
        if asked.get("prompt") == "none":
            return self._redirect(asked, {"error": "login_required"})
        return None

    def _redirect(self, asked: Mapping[str, str], answer: Mapping[str, str]) -> Response:
        answer = {**answer, "iss": self._issuer}
        if asked.get("state"):
            answer["state"] = asked["state"]
        uri = asked["redirect_uri"]
        target = f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}"
        return RedirectResponse(target, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})

    def _page(
        self, request: Request, client: Client, asked: Mapping[str, str], *, refused_user: str | None = None
    ) -> Response:
        kept = {name: asked[name] for name in _KEPT if name in asked}
        language = negotiate(asked.get("ui_locales", "").replace(" ", ",")) or language_of(request)
        page = sign_in_page(language, AUTHORIZE_PATH, client.client, kept, refused_user=refused_user)
        status = HTTPStatus.OK if refused_user is None else HTTPStatus.UNAUTHORIZED
        return HTMLResponse(page, status, page_headers(asked["redirect_uri"]))


def _grant(person: Person, client: Client, asked: Mapping[str, str]) -> Grant:
    return Grant(
        person=person,
        client=client.client,
        redirect_uri=asked["redirect_uri"],
        challenge=asked["code_challenge"],
        nonce=asked.get("nonce", ""),
        openid="openid" in asked.get("scope", "").split(),
    )

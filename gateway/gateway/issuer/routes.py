"""Puts the issuer together and on the net."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.admission import Admission
from gateway.issuer import discovery
from gateway.issuer.authorization import AuthorizationCodes
from gateway.issuer.authorize_endpoint import AuthorizeEndpoint
from gateway.issuer.client_sign_in import ClientSignIn
from gateway.issuer.registry import Registry
from gateway.issuer.signing import SigningKey
from gateway.issuer.signing_in import SigningIn
from gateway.issuer.token_endpoint import TokenEndpoint
from gateway.issuer.tokens import Tokens
from gateway.limits import RateLimits
from gateway.settings import GatewaySettings


def add_issuer(
    app: FastAPI, folder: Path, settings: GatewaySettings, admission: Admission, limits: RateLimits
) -> ClientSignIn:
    """Adds the issuer kept in `folder`; gives what signs in systems that only know HTTP Basic.

    Raises OSError or ValueError when its files are not there or not as they must be.
    """
    key = SigningKey.load(folder)
    registry = Registry.load(folder)
    tokens = Tokens(key, settings.oidc_issuer, settings.oidc_audience)
    codes = AuthorizationCodes()
    signing_in = SigningIn(registry, admission, limits)
    token = TokenEndpoint(registry, tokens, codes, signing_in)
    authorize = AuthorizeEndpoint(settings.oidc_issuer, registry, codes, signing_in)
    configuration = discovery.configuration(settings.oidc_issuer, settings.base_url)
    cached = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}

    async def show_configuration(_request: Request) -> Response:
        return JSONResponse(configuration, headers=cached)

    async def show_keys(_request: Request) -> Response:
        return JSONResponse(key.jwks, headers=cached)

    async def authorize_by_method(request: Request) -> Response:
        return await (authorize.sign_in(request) if request.method == "POST" else authorize.show(request))

    app.add_route(discovery.CONFIGURATION_PATH, show_configuration)
    app.add_route(discovery.JWKS_PATH, show_keys)
    app.add_route(discovery.TOKEN_PATH, token.answer, methods=["POST"])
    app.add_route(discovery.AUTHORIZE_PATH, authorize_by_method, methods=["GET", "POST"])
    return ClientSignIn(signing_in, tokens)

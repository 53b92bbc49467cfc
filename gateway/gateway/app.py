"""Builds the gateway's application out of its rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from servicekit.clock import Clock, SystemClock
from servicekit.errors import Fault
from servicekit.identity.tokens import TokenVerifier
from servicekit.messaging.sharing import shared_events
from servicekit.rpc.client import Channel
from starlette.exceptions import HTTPException
from starlette.types import Lifespan

from gateway.admission import Admission
from gateway.contracts import CONTRACTS
from gateway.health import Health
from gateway.hotline.access import PlatformAccess
from gateway.hotline.routes import INTAKE, add_hotline
from gateway.issuer.routes import add_issuer
from gateway.limits import RateLimits
from gateway.problems import Problems
from gateway.reference.asyncapi import describe_events
from gateway.reference.comments import Comments
from gateway.reference.conventions import Origin
from gateway.reference.eventpages import add_event_reference
from gateway.reference.openapi import describe
from gateway.reference.pages import add_reference
from gateway.settings import GatewaySettings
from gateway.transcoding.bindings import find_bindings
from gateway.transcoding.endpoints import Endpoints


def build_app(settings: GatewaySettings, clock: Clock | None = None, limits: RateLimits | None = None) -> FastAPI:
    """The application. It connects to the services with the first calls. `clock` tells when shops are open,
    `limits` counts the requests of callers.

    Raises ValueError or OSError when the settings can't be carried out.
    """
    bindings = find_bindings(CONTRACTS)
    channels = {service: Channel(target, together=True) for service, target in settings.targets.items()}
    missing = {binding.service for binding in bindings} - set(channels)
    if missing:
        raise ValueError(f"BIHUAN_TARGETS names no address for: {', '.join(sorted(missing))}")
    problems = Problems(settings.base_url)
    limits = limits or RateLimits()
    verifier = TokenVerifier(settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks)
    admission = Admission(settings, verifier, limits)
    app = FastAPI(
        # The document is made from the contracts; the framework's own pages load scripts from elsewhere.
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_closing(channels),
        # One server span and one duration a request. Logs and spans inside the framework are our own affair.
        telemetry={"operation_spans": False, "logs": False},
        exception_handlers={
            Fault: problems.answer_fault,
            HTTPException: problems.answer_http_exception,
            Exception: problems.answer_defect,
        },
    )
    endpoints = Endpoints(
        channels,
        admission,
        most_body_bytes=settings.most_body_bytes,
        request_seconds=settings.request_seconds,
    )
    endpoints.add_to(app, bindings)
    sign_in = add_issuer(app, settings.issuer_dir, settings, admission, limits) if settings.issuer_dir else None
    if settings.hotline_key is not None:
        add_hotline(
            app,
            settings,
            access=PlatformAccess(admission, sign_in),
            intake=channels[INTAKE],
            problems=problems,
            clock=clock or SystemClock(),
        )
    health = Health(channels)
    app.add_route("/healthz", health.live)
    app.add_route("/readyz", health.ready)
    origin = Origin(settings.base_url, settings.oidc_issuer, built_in_issuer=settings.issuer_dir is not None)
    comments = Comments.load()
    add_reference(app, describe(bindings, comments, problems, origin))
    add_event_reference(app, describe_events(shared_events(), comments, origin))
    return app


def _closing(channels: Mapping[str, Channel]) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        for channel in channels.values():
            await channel.close()

    return lifespan

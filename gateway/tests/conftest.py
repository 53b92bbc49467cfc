"""The real application, before a real gRPC server that serves a small case service with the kit's whole chain."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bihuan.intake.v1 import cases_pb2, cases_pb2_grpc, customers_pb2_grpc
from fastapi import FastAPI
from gateway.app import build_app
from gateway.issuer.initialise import initialise
from gateway.issuer.registry import Registry
from gateway.issuer.signing import SigningKey
from gateway.issuer.tokens import Tokens
from gateway.limits import RateLimits
from gateway.settings import GatewaySettings
from hotlinedesk import Desk, Line
from servicekit.clock import ManualClock
from servicekit.errors import Fault
from servicekit.identity import caller, language
from servicekit.identity.tokens import TokenVerifier
from servicekit.ids import uuid7
from servicekit.messaging.users import SERVICES
from servicekit.rpc.server import Server

ISSUER = "http://gateway.test"
AUDIENCE = "bihuan"
HOTLINE_KEY = base64.b64encode(bytes(32)).decode()


class Cases(cases_pb2_grpc.CaseServiceServicer):
    """Keeps cases in memory, and what it was asked."""

    def __init__(self) -> None:
        self.cases: dict[str, cases_pb2.Case] = {}
        self.keys: dict[str, str] = {}
        self.asked: list[Any] = []
        self.raises: Exception | None = None
        self.callers: list[tuple[str, str]] = []

    def note(self, request: Any, context: Any) -> None:
        self.asked.append(request)
        self.callers.append((caller(context).user_id, language(context)))
        if self.raises:
            raise self.raises

    async def OpenCase(self, request: Any, context: Any) -> cases_pb2.OpenCaseResponse:  # noqa: N802
        self.note(request, context)
        known = self.keys.get(request.idempotency_key)
        if known:
            return cases_pb2.OpenCaseResponse(case=self.cases[known])
        case = cases_pb2.Case(
            case_id=str(uuid7()),
            case_number="2611-0042-7315",
            version=1,
            stage=cases_pb2.CASE_STAGE_ACCEPTED,
            channel=request.channel,
            region=request.region,
            subject=request.subject,
        )
        case.accepted_at.FromJsonString("2026-11-02T01:30:00.250Z")
        self.cases[case.case_id] = self.cases[case.case_number] = case
        if request.idempotency_key:
            self.keys[request.idempotency_key] = case.case_id
        return cases_pb2.OpenCaseResponse(case=case, joined=request.subject == "again")

    async def GetCase(self, request: Any, context: Any) -> cases_pb2.Case:  # noqa: N802
        self.note(request, context)
        if request.case not in self.cases:
            raise Fault("case_unknown", field="case", case=request.case)
        return self.cases[request.case]

    async def ListCases(self, request: Any, context: Any) -> cases_pb2.ListCasesResponse:  # noqa: N802
        self.note(request, context)
        return cases_pb2.ListCasesResponse(cases=self.cases.values(), next_page_token="next")

    async def AssessCase(self, request: Any, context: Any) -> cases_pb2.Case:  # noqa: N802
        self.note(request, context)
        case = self.cases[request.case]
        if request.expected_version not in {0, case.version}:
            raise Fault("stale_version")
        case.version += 1
        return case

    async def ResumeCase(self, request: Any, context: Any) -> cases_pb2.Case:  # noqa: N802
        self.note(request, context)
        return self.cases[request.case]

    async def AddInteraction(self, request: Any, context: Any) -> cases_pb2.Case:  # noqa: N802
        self.note(request, context)
        return self.cases[request.case]


@pytest.fixture(scope="session")
def issuer_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("issuer")
    initialise(folder)
    return folder


@pytest.fixture(scope="session")
def bearer(issuer_dir: Path) -> Callable[[str], dict[str, str]]:
    """The Authorization header of a person or a client, by name."""
    tokens = Tokens(SigningKey.load(issuer_dir), ISSUER, AUDIENCE)
    registry = Registry.load(issuer_dir)

    def header(name: str) -> dict[str, str]:
        person, client = registry.person(name), registry.client(name)
        token = tokens.for_person(person) if person else tokens.for_client(client)  # type: ignore[arg-type]
        return {"Authorization": f"Bearer {token}"}

    return header


@pytest.fixture
async def cases(issuer_dir: Path) -> AsyncIterator[tuple[Cases, str]]:
    """The case service and where it is served."""

    service = Cases()
    async with _served(issuer_dir, [(cases_pb2_grpc.add_CaseServiceServicer_to_server, service)]) as address:
        yield service, address


@asynccontextmanager
async def _served(issuer_dir: Path, servicers: list[Any]) -> AsyncIterator[str]:
    async def ready() -> bool:
        return True

    verifier = TokenVerifier(ISSUER, AUDIENCE, str(issuer_dir / "jwks.json"))
    server = Server("127.0.0.1:0", servicers, tokens=verifier, is_ready=ready)
    await server.start()
    yield server.address
    await server.stop(drain_seconds=0.1)


def settings_for(address: str, folder: Path, **more: Any) -> GatewaySettings:
    usual = {
        "oidc_issuer": ISSUER,
        "oidc_audience": AUDIENCE,
        "oidc_jwks": str(folder / "jwks.json"),
        "issuer_dir": folder,
        "public_url": ISSUER,
        "targets": dict.fromkeys(SERVICES, address),
        "anonymous_rate": 100_000,
        # A busy machine must not make an answer late.
        "request_seconds": 60,
    }
    return GatewaySettings(**(usual | more))


@pytest.fixture
def make_client(cases: tuple[Cases, str], issuer_dir: Path) -> Callable[..., httpx.AsyncClient]:
    """A client of a gateway with other settings, or another sense of time for its limits."""

    def make(limits: RateLimits | None = None, **more: Any) -> httpx.AsyncClient:
        return client_of(build_app(settings_for(cases[1], issuer_dir, **more), limits=limits))

    return make


@pytest.fixture
async def client(make_client: Callable[..., httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client() as opened:
        yield opened


def client_of(app: FastAPI) -> httpx.AsyncClient:
    # Defects must come out as problem documents, as they do on a socket.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=ISSUER)


@pytest.fixture
async def desk(issuer_dir: Path) -> AsyncIterator[tuple[Desk, str]]:
    """The intake that the hotline speaks with, and where it is served."""
    desk = Desk()
    servicers = [
        (cases_pb2_grpc.add_CaseServiceServicer_to_server, desk),
        (customers_pb2_grpc.add_CustomerServiceServicer_to_server, desk),
    ]
    async with _served(issuer_dir, servicers) as address:
        yield desk, address


@pytest.fixture
async def line(
    desk: tuple[Desk, str],
    issuer_dir: Path,
    bearer: Callable[[str], dict[str, str]],
    manual_clock: ManualClock,
) -> AsyncIterator[Line]:
    """A line to a hotline whose clock begins when the shops open."""
    hotline = {"hotline_key": HOTLINE_KEY, "hotline_agents": "sip:agents@example.com"}
    async with client_of(build_app(settings_for(desk[1], issuer_dir, **hotline), manual_clock)) as http:
        yield Line(http, bearer("channel-hotline"))


@pytest.fixture
def report() -> dict[str, Any]:
    """A fault report as an app sends it."""
    return {
        "channel": "app",
        "caller": {"phone": "+8613800138000"},
        "region": "cn.gd.gz.tianhe",
        "subject": "宽带无法上网",
    }

"""Serves the gateway's application until it is told to stop."""

from __future__ import annotations

import math
import signal
import sys
from types import FrameType
from typing import Final

import uvicorn
from servicekit.garbage import collect_rarely

from gateway.app import build_app
from gateway.settings import GatewaySettings
from servicekit import telemetry

# Longer than load balancers keep an idle connection, so that it is they who close it.
KEEP_ALIVE_SECONDS: Final = 75


def serve(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT, then lets running requests end. Exit status 2 for settings that can't work."""
    telemetry.setup("gateway", settings)
    try:
        app = build_app(settings)
    except (OSError, ValueError) as wrong:
        sys.stderr.write(f"{wrong}\n")
        raise SystemExit(2) from None
    # uvicorn raises the signal again once it has drained; by default that would end us before the last spans are sent.
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _already_drained)
    host, port = settings.address
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
        )
    )
    collect_rarely()
    try:
        server.run()
    finally:
        telemetry.shutdown()


def _already_drained(_sign: int, _frame: FrameType | None) -> None:
    """The server has done what the signal asks for."""

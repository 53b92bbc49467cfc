"""`python -m gateway` serves; `python -m gateway issuer-init DIR` makes the built-in issuer's key and accounts."""

from __future__ import annotations

import argparse
import gc
import math
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
from servicekit.settings import read_settings

from gateway.app import build_app
from gateway.issuer.initialise import initialise
from gateway.settings import GatewaySettings
from servicekit import telemetry

# Longer than load balancers keep an idle connection, so that it is they who close it.
KEEP_ALIVE_SECONDS: Final = 75


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m gateway", description=__doc__)
    actions = arguments.add_subparsers(dest="action")
    issuer_init = actions.add_parser(
        "issuer-init", help="make the built-in issuer's key and accounts; again is harmless"
    )
    issuer_init.add_argument("folder", type=Path)
    chosen = arguments.parse_args()
    if chosen.action == "issuer-init":
        written = initialise(chosen.folder)
        sys.stdout.write(f"{chosen.folder}: {', '.join(written) or 'nothing to do'}\n")
    else:
        serve(read_settings(GatewaySettings))


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
    # All this lives as long as the process. Looking through it again and again would hold up requests for long moments.
    gc.collect()
    gc.freeze()
    try:
        server.run()
    finally:
        telemetry.shutdown()


def _already_drained(_sign: int, _frame: FrameType | None) -> None:
    """The server has done what the signal asks for."""


if __name__ == "__main__":
    main()

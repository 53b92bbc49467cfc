"""Puts the hotline together and on the net."""

from __future__ import annotations

import base64
from typing import Final

from cryptography.fernet import Fernet
from fastapi import FastAPI
from servicekit.clock import Clock
from servicekit.rpc.client import Channel
from servicekit.settings import bytes_of

from gateway.hotline.access import PlatformAccess
from gateway.hotline.endpoints import Hotline
from gateway.hotline.intake import Stubs
from gateway.hotline.state import StateSeal
from gateway.problems import Problems
from gateway.settings import GatewaySettings
from standards import load

# The service that the dialogue is with.
INTAKE: Final = "intake"


def add_hotline(
    app: FastAPI,
    settings: GatewaySettings,
    *,
    access: PlatformAccess,
    intake: Channel,
    problems: Problems,
    clock: Clock,
) -> None:
    """Adds the pages under /hotline. `settings.hotline_key` must be there."""
    assert settings.hotline_key is not None
    seal = StateSeal(Fernet(base64.urlsafe_b64encode(bytes_of(settings.hotline_key))))
    hotline = Hotline(
        access,
        Stubs(intake, settings.request_seconds),
        seal,
        load(settings.standards_dir),
        problems,
        agents=settings.hotline_agents,
        now=clock.now,
    )
    hotline.add_to(app)

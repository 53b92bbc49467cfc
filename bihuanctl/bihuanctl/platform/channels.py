"""Reaching the services as somebody: channels to each service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from servicekit.languages import Language
from servicekit.rpc.client import Channel


@asynccontextmanager
async def channels(targets: Mapping[str, str], token: str, language: Language) -> AsyncIterator[dict[str, Channel]]:
    """A channel to each service, for one command."""
    opened = {service: Channel(target, lambda: token, language=language) for service, target in targets.items()}
    try:
        yield opened
    finally:
        for channel in opened.values():
            await channel.close()

"""Reaching the services as somebody: a token from the gateway, channels to each service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from servicekit.languages import Language
from servicekit.rpc.client import Channel

from bihuanctl.platform.accounts import ADMINISTRATOR, Account, find_account
from bihuanctl.platform.state import PlatformState
from bihuanctl.refusal import Refusal

PATIENCE = 10.0


def fetch_token(gateway_url: str, account: Account) -> str:
    """An access token for `account`. Raises Refusal `gateway_away` or `sign_in_refused`."""
    form = (
        {"grant_type": "password", "username": account.name, "password": account.password}
        if account.kind == "person"
        else {"grant_type": "client_credentials", "client_id": account.name, "client_secret": account.password}
    )
    try:
        response = httpx.post(f"{gateway_url}/oidc/token", data=form, timeout=PATIENCE, trust_env=False)
    except httpx.HTTPError as error:
        raise Refusal("gateway_away", reason=error) from None
    if response.is_error:
        raise Refusal("sign_in_refused", name=account.name, reason=response.text)
    return str(response.json()["access_token"])


def operator_token(state: PlatformState, issuer: Path, environment: Mapping[str, str]) -> str:
    """The token of whoever runs the command: BIHUAN_TOKEN, or the built-in issuer's administrator."""
    return environment.get("BIHUAN_TOKEN") or fetch_token(state.gateway_url, find_account(issuer, ADMINISTRATOR))


@asynccontextmanager
async def channels(targets: Mapping[str, str], token: str, language: Language) -> AsyncIterator[dict[str, Channel]]:
    """A channel to each service, for one command."""
    opened = {service: Channel(target, lambda: token, language=language) for service, target in targets.items()}
    try:
        yield opened
    finally:
        for channel in opened.values():
            await channel.close()

"""Signing in at the gateway, as the issuer's accounts do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode, urlsplit

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
        status, answer = _post_form(gateway_url, "/oidc/token", form)
    except (OSError, HTTPException) as error:
        raise Refusal("gateway_away", reason=error) from None
    if status != HTTPStatus.OK:
        raise Refusal("sign_in_refused", name=account.name, reason=answer)
    return str(json.loads(answer)["access_token"])


def operator_token(state: PlatformState, issuer: Path, environment: Mapping[str, str]) -> str:
    """The token of whoever runs the command: BIHUAN_TOKEN, or the built-in issuer's administrator."""
    return environment.get("BIHUAN_TOKEN") or fetch_token(state.gateway_url, find_account(issuer, ADMINISTRATOR))


def _post_form(origin: str, path: str, form: Mapping[str, str]) -> tuple[int, str]:
    """Status and text of the answer. Most commands begin with this, and a larger library would take them longer to
    import than to be answered."""
    connection = HTTPConnection(urlsplit(origin).netloc, timeout=PATIENCE)
    try:
        connection.request("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()

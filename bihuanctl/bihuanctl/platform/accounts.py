"""The accounts of the built-in issuer, with their generated passwords, as their owner may read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bihuanctl.refusal import Refusal

ADMINISTRATOR = "administrator"


class Account(BaseModel):
    """Somebody who can sign in."""

    model_config = ConfigDict(frozen=True)

    # A person signs in with a password, a client system with a secret.
    kind: Literal["person", "client"]
    name: str
    roles: tuple[str, ...] = ()
    domain: str = ""
    customer_id: str | None = None
    # Empty where the account was given one that is kept nowhere in plain text.
    password: str = ""


def read_accounts(issuer: Path) -> list[Account]:
    """Everybody with an account. Raises Refusal `accounts_unknown` when there is no built-in issuer."""
    try:
        registry = json.loads((issuer / "users.json").read_text(encoding="utf-8"))
        credentials = json.loads((issuer / "credentials.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refusal("accounts_unknown") from None
    people = [_account("person", entry, entry["user"], credentials["people"]) for entry in registry["people"]]
    # Public clients (apps that people sign in through) have nothing to sign in with themselves.
    clients = [
        _account("client", entry, entry["client"], credentials["clients"])
        for entry in registry["clients"]
        if entry.get("secret")
    ]
    return people + clients


def find_account(issuer: Path, name: str) -> Account:
    """The account of this name. Raises Refusal `account_unknown`."""
    for account in read_accounts(issuer):
        if account.name == name:
            return account
    raise Refusal("account_unknown", name=name)


def _account(
    kind: Literal["person", "client"], entry: dict[str, object], name: str, passwords: dict[str, str]
) -> Account:
    return Account.model_validate({**entry, "kind": kind, "name": name, "password": passwords.get(name, "")})

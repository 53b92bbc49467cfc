"""`bihuan users` and `bihuan token`: who can sign in here, and an access token for one of them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from servicekit.errors.words import in_words

from bihuanctl.commands.options import Json
from bihuanctl.platform.accounts import find_account, read_accounts
from bihuanctl.platform.signin import fetch_token
from bihuanctl.session import Session

app = typer.Typer(add_completion=False)


@app.command()
def users(context: typer.Context, *, as_json: Json = False) -> None:
    """List the accounts of the built-in issuer with their generated passwords."""
    session = Session.of(context)
    accounts = read_accounts(session.layout.issuer)
    if as_json:
        session.print_json([account.model_dump() for account in accounts])
        return
    table = Table()
    for column in ("name", "kind", "roles", "domain", "password"):
        # What is typed again must come out whole, however narrow the terminal.
        table.add_column(session.texts(f"users.{column}"), no_wrap=column in {"name", "password"}, overflow="fold")
    texts = session.texts
    for account in accounts:
        kind = texts(f"users.{account.kind}")
        roles = texts("list.between").join(in_words("role", role, texts.language) for role in account.roles)
        table.add_row(account.name, kind, roles, account.domain, account.password)
    session.console.print(table)


@app.command()
def token(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="User or client system, see `bihuan users`.")],
    *,
    as_json: Json = False,
) -> None:
    """Print an access token for one of the accounts, to send as `Authorization: Bearer …`."""
    session = Session.of(context)
    state = session.platform()
    access_token = fetch_token(state.gateway_url, find_account(session.layout.issuer, user))
    if as_json:
        session.print_json({"user": user, "access_token": access_token, "gateway_url": state.gateway_url})
    else:
        typer.echo(access_token)

"""`bihuan version`."""

from __future__ import annotations

from importlib.metadata import version as version_of

import typer

from bihuanctl.commands.options import Json
from bihuanctl.session import Session

DISTRIBUTION = "bihuan-ctl"

app = typer.Typer(add_completion=False)


@app.command()
def version(context: typer.Context, *, as_json: Json = False) -> None:
    """Show the version."""
    session = Session.of(context)
    if as_json:
        session.print_json({"version": version_of(DISTRIBUTION)})
    else:
        session.say("version.line", version=version_of(DISTRIBUTION))

"""`bihuan restart`, `stop` and `start` of single processes, for operators and for tests of what may fail."""

from __future__ import annotations

from typing import Annotated

import typer

from bihuanctl.commands.options import Json
from bihuanctl.platform.state import ProcessState
from bihuanctl.session import Session
from bihuanctl.supervisor import control

ProcessArgument = Annotated[str, typer.Argument(metavar="PROCESS", help="Such as intake, gateway, nats or postgres.")]

app = typer.Typer(add_completion=False)


@app.command()
def restart(context: typer.Context, process: ProcessArgument, *, as_json: Json = False) -> None:
    """Stop one process and start it again; returns when it is healthy."""
    _command(context, "restart", process, as_json=as_json)


@app.command()
def stop(context: typer.Context, process: ProcessArgument, *, as_json: Json = False) -> None:
    """Stop one process; it stays stopped until `bihuan start`."""
    _command(context, "stop", process, as_json=as_json)


@app.command()
def start(context: typer.Context, process: ProcessArgument, *, as_json: Json = False) -> None:
    """Start a process that was stopped; returns when it is healthy."""
    _command(context, "start", process, as_json=as_json)


def _command(context: typer.Context, action: str, process: str, *, as_json: bool) -> None:
    session = Session.of(context)
    session.platform()
    answer = control.ask(session.layout.control, action, process)
    if as_json:
        session.print_json({"process": process} | answer)
    else:
        condition = ProcessState.model_validate(answer).condition
        session.say("control.done", name=process, condition=session.texts(f"status.conditions.{condition}"))

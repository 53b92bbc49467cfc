"""`bihuan status`: what runs, how it is, and where."""

from __future__ import annotations

import time
from datetime import timedelta

import typer
from rich.table import Table

from bihuanctl.commands.options import Json
from bihuanctl.durations import spoken
from bihuanctl.platform.processes import memory_of
from bihuanctl.platform.state import PlatformState, ProcessState, read_running_state
from bihuanctl.session import Session

app = typer.Typer(add_completion=False)


@app.command()
def status(context: typer.Context, *, as_json: Json = False) -> None:
    """Show what runs. Exit status 1 when something does not, or nothing runs."""
    session = Session.of(context)
    state = read_running_state(session.layout.state)
    if state is None:
        if as_json:
            session.print_json({"running": False, "home": str(session.layout.home)})
        else:
            session.say("status.not_running", home=session.layout.home)
        raise typer.Exit(1)
    healthy = state.ready and all(process.condition == "healthy" for process in state.processes.values())
    if as_json:
        session.print_json({"running": True, "healthy": healthy} | state.model_dump(mode="json"))
    else:
        _print_status(session, state)
    raise typer.Exit(0 if healthy else 1)


def _print_status(session: Session, state: PlatformState) -> None:
    columns = ("process", "condition", "pid", "port", "memory", "age", "restarts")
    table = Table(*(session.texts(f"status.{column}") for column in columns))
    for name, process in state.processes.items():
        table.add_row(name, *_row(session, process))
    session.console.print(table)
    session.say("up.where", gateway=state.gateway_url, home=session.layout.home)


def _row(session: Session, process: ProcessState) -> tuple[str, ...]:
    style = {"healthy": "green", "stopped": "dim"}.get(process.condition, "yellow")
    identity = process.identity
    return (
        f"[{style}]{session.texts(f'status.conditions.{process.condition}')}[/]",
        str(process.pid or ""),
        str(process.port),
        f"{memory_of(identity) / 2**20:.0f} MiB" if identity else "",
        spoken(timedelta(seconds=round(time.time() - identity.started)), session.texts) if identity else "",
        str(process.restarts),
    )

"""`bihuan down`."""

from __future__ import annotations

import typer

from bihuanctl.commands.options import Json
from bihuanctl.platform.processes import stop_all
from bihuanctl.platform.state import read_state
from bihuanctl.session import Session

STOP_PATIENCE = 60.0

app = typer.Typer(add_completion=False)


@app.command()
def down(context: typer.Context, *, as_json: Json = False) -> None:
    """Stop the platform, in order and completely."""
    session = Session.of(context)
    state = read_state(session.layout.state)
    stopped = 0
    if state is not None:
        processes = [process.identity for process in state.processes.values()]
        running = [identity for identity in (state.supervisor, *processes) if identity is not None and identity.alive]
        stopped = len(running)
        if state.supervisor.alive:
            stop_all([state.supervisor], patience=STOP_PATIENCE)
        # What a killed supervisor may have left.
        stop_all([identity for identity in running if identity.alive], patience=STOP_PATIENCE)
    if as_json:
        session.print_json({"stopped_processes": stopped})
    else:
        session.say("down.done" if stopped else "down.nothing")

"""`bihuan up`: the whole platform, in front or in the background."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from bihuanctl.commands.options import Json
from bihuanctl.commands.startdisplay import StartDisplay
from bihuanctl.platform.processes import ProcessIdentity
from bihuanctl.platform.state import PlatformState, read_running_state
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session
from bihuanctl.supervisor.background import start_in_background
from bihuanctl.supervisor.options import StartOptions

START_PATIENCE = 180.0
# From taking the lock to writing the first state: clearing leftovers may take that long.
OTHER_PATIENCE = 30.0
POLL_SECONDS = 0.1

app = typer.Typer(add_completion=False)


@app.command()
def up(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port of the gateway; 0: any free one.")
    ] = None,
    *,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when it is healthy; it runs on.")] = False,
    adjustable_clock: Annotated[
        bool, typer.Option("--adjustable-clock/--real-clock", help="Let `bihuan clock advance` move platform time.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Start the whole platform, or say that it runs."""
    session = Session.of(context)
    options = StartOptions(port=port, clock_adjustable=adjustable_clock)
    try:
        if (state := running_when_ready(session)) is not None:
            _say_ready(session, state, as_json=as_json, already=True)
        elif detach:
            with StartDisplay(session, shown=not as_json) as display:
                state = start_in_background(session.layout, options, session.environment, display.report)
            _say_ready(session, state, as_json=as_json)
        else:
            _stay(session, options, as_json=as_json)
    except Refusal as refusal:
        if refusal.code != "already_running":
            raise
        # Somebody else was a moment faster; what was asked for is about to be there.
        _say_ready(session, _awaited(session, refusal), as_json=as_json, already=True)


def running_when_ready(session: Session) -> PlatformState | None:
    """The platform that runs here, once it is ready; None when none does."""
    deadline = time.monotonic() + START_PATIENCE
    while (state := read_running_state(session.layout.state)) is not None and not state.ready:
        if time.monotonic() > deadline:
            raise Refusal("still_starting")
        time.sleep(POLL_SECONDS)
    return state


def _awaited(session: Session, refusal: Refusal) -> PlatformState:
    """The platform that somebody else is just starting. Raises `refusal` when it does not come."""
    deadline = time.monotonic() + OTHER_PATIENCE
    while (state := running_when_ready(session)) is None:
        if time.monotonic() > deadline:
            raise refusal
        time.sleep(POLL_SECONDS)
    return state


def _stay(session: Session, options: StartOptions, *, as_json: bool) -> None:
    # Half a second of libraries that `up --detach` and a second `up` have no use for.
    from bihuanctl.supervisor.running import run_platform  # noqa: PLC0415

    with StartDisplay(session, shown=not as_json) as display:

        def ready(state: PlatformState) -> None:
            display.finish()
            _say_ready(session, state, as_json=as_json, stays=True)

        run_platform(session.layout, options, session.environment, report=display.report, ready=ready)


def _say_ready(
    session: Session, state: PlatformState, *, as_json: bool, already: bool = False, stays: bool = False
) -> None:
    if as_json:
        # From the call of the command, with the start of Python itself.
        seconds = 0.0 if already else time.time() - ProcessIdentity.own().started
        session.print_json({"already_running": already, "seconds": round(seconds, 3)} | state.model_dump(mode="json"))
        return
    if already:
        session.say("up.already")
    else:
        session.say("up.ready", seconds=f"{state.start_seconds or 0:.1f}")
    session.say("up.where", gateway=state.gateway_url, home=session.layout.home)
    session.say("up.stop_by_key" if stays else "up.stop_by_command")

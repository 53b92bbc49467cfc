"""`bihuan demo`: plays real requests through the whole loop and proves that none fell out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from bihuanctl.commands.options import Json
from bihuanctl.commands.startdisplay import StartDisplay
from bihuanctl.commands.up import running_when_ready
from bihuanctl.demo.columns import Choices, read_choices, read_requests
from bihuanctl.demo.csvrows import BadRow, read_table
from bihuanctl.demo.display import PlayDisplay
from bihuanctl.demo.gateway import Refused
from bihuanctl.demo.performance import Audience, Outcome, Programme, perform
from bihuanctl.demo.personas import personas
from bihuanctl.demo.requests import Request, compose
from bihuanctl.demo.scenes import SCENES
from bihuanctl.demo.tables import outcome_as_dict, print_bad_rows, print_outcome, print_verdict
from bihuanctl.refusal import EXIT_FAILED, Refusal
from bihuanctl.session import Session
from bihuanctl.supervisor.background import start_in_background
from bihuanctl.supervisor.options import StartOptions

DEFAULT_CASES = 200

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    context: typer.Context,
    cases: Annotated[
        int, typer.Option("--cases", "-n", min=0, help="How many requests at most; 0: all rows of the file.")
    ] = DEFAULT_CASES,
    seed: Annotated[int, typer.Option("--seed", help="The same seed chooses the same people and texts.")] = 1,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE", help="CSV file (UTF-8, UTF-16 or GBK) with requests to play."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Which column is what: subject, description, date, time, channel, region, name, phone.",
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--map-value", metavar="FIELD:VALUE=WORD", help="What a value means; * stands for all others."),
    ] = None,
    scenes: Annotated[
        bool, typer.Option("--scenes/--no-scenes", help="After the requests, show every other part of the platform.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Play real requests through the whole loop, with platform time moved on, and prove that none fell out."""
    session = Session.of(context)
    random = Random(seed)  # noqa: S311 -- chance on a stage
    requests, bad = _requests(session, file, read_choices(columns or (), values or ()), cases, random)
    if not as_json:
        print_bad_rows(session, bad, len(requests))
    if not requests:
        raise Refusal("nothing_to_play")
    requests = requests[: cases or None]
    _ensure_running(session, as_json=as_json)
    with PlayDisplay(session, len(requests), shown=not as_json) as display:
        programme = Programme(requests, SCENES if scenes else {}, personas(), random)
        outcome = _perform(session, programme, display)
    if as_json:
        session.print_json(outcome_as_dict(outcome, bad, session.texts))
    else:
        print_outcome(session, outcome)
        print_verdict(session, outcome)
        session.say("demo.look", case=outcome.example, gateway=session.platform().gateway_url)
    raise typer.Exit(0 if outcome.is_clean else EXIT_FAILED)


def _perform(session: Session, programme: Programme, display: PlayDisplay) -> Outcome:
    try:
        return asyncio.run(perform(session, programme, Audience(display.watch, display.tell)))
    except Refused as refused:
        # A single step may be refused; without the lists or the engineers there is no play.
        raise Refusal("demo_broken_off", reason=refused) from None


def _requests(
    session: Session, file: Path | None, choices: Choices, count: int, random: Random
) -> tuple[list[Request], list[BadRow]]:
    """The requests to play, from the file or from the corpus, and the rows of the file that can't be."""
    if file is None:
        return compose(count, personas(), random), []
    return read_requests(read_table(file), choices, personas(), random, session.texts.language)


def _ensure_running(session: Session, *, as_json: bool) -> None:
    """Starts the platform if nothing runs here. Raises Refusal `demo_clock_fixed` when its clock can't be moved."""
    state = running_when_ready(session)
    if state is None:
        with StartDisplay(session, shown=not as_json) as display:
            options = StartOptions(clock_adjustable=True)
            state = start_in_background(session.layout, options, session.environment, display.report)
    if not state.clock_adjustable:
        raise Refusal("demo_clock_fixed")

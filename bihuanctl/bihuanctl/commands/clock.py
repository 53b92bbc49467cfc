"""`bihuan clock`: platform time, and moving it on in a test or a demo."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from servicekit.deadlines.calendars import calendars_of
from servicekit.moments import local

from bihuanctl.commands.options import Json
from bihuanctl.durations import Duration, parse_duration, spoken
from bihuanctl.platform.bus import operator_bus
from bihuanctl.platform.channels import channels
from bihuanctl.platform.hearing import PATIENCE_SECONDS, until_heard
from bihuanctl.platform.signin import operator_token
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session
from servicekit import clock as platform_clock
from standards import load

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Platform time, for tests and demos.")


@app.command()
def show(context: typer.Context, *, as_json: Json = False) -> None:
    """Show platform time and how far it is ahead of real time."""
    session = Session.of(context)
    _print(session, asyncio.run(_read(session)), as_json=as_json)


@app.command()
def advance(
    context: typer.Context,
    duration: Annotated[
        str, typer.Argument(metavar="DURATION", help="Such as 90m, 2h, 1d12h, 10wd (working days) or PT2H.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Move the whole platform's clock forward. Only where it was started with an adjustable clock."""
    session = Session.of(context)
    if not session.platform().clock_adjustable:
        raise Refusal("clock_fixed")
    _print(session, asyncio.run(_advance(session, parse_duration(duration))), as_json=as_json)


async def _read(session: Session) -> timedelta:
    async with operator_bus(session.layout.bus_login) as jetstream:
        offset, _ = await platform_clock.read_offset(jetstream)
        return offset


async def _advance(session: Session, duration: Duration) -> timedelta:
    async with operator_bus(session.layout.bus_login) as jetstream:
        offset, _ = await platform_clock.read_offset(jetstream)
        moved = await platform_clock.advance(jetstream, _length(duration, datetime.now(UTC) + offset))
    await _until_heard(session, moved)
    return moved


async def _until_heard(session: Session, offset: timedelta) -> None:
    state = session.platform()
    try:
        token = operator_token(state, session.layout.issuer, session.environment)
    except Refusal:  # without the gateway nobody signs in to ask; the time is told all the same
        return
    async with channels(state.targets, token, session.texts.language) as opened:
        try:
            await until_heard(opened, offset)
        except TimeoutError:
            told = spoken(offset, session.texts)
            raise Refusal("clock_unheard", offset=told, seconds=f"{PATIENCE_SECONDS:.0f}") from None


def _length(duration: Duration, now: datetime) -> timedelta:
    if not duration.working_days:
        return duration.fixed
    due = calendars_of(load()).add(now, timedelta(days=duration.working_days), "working_days")
    return due.moment - now


def _print(session: Session, offset: timedelta, *, as_json: bool) -> None:
    now = datetime.now(UTC) + offset
    adjustable = session.platform().clock_adjustable
    if as_json:
        session.print_json({"now": now, "offset_seconds": offset.total_seconds(), "adjustable": adjustable})
    else:
        session.say("clock.now", now=local(now))
        session.say("clock.offset", offset=spoken(offset, session.texts))

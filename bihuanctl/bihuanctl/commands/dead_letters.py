"""`bihuan dead-letters`: what services could not handle, sending it again after a repair, or giving it up for good."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table
from rich.text import Text
from servicekit.messaging.deadletters import (
    DeadLetter,
    discard_dead_letter,
    list_dead_letters,
    list_discarded,
    redrive_dead_letter,
    show_dead_letter,
)
from servicekit.moments import local

from bihuanctl.commands.options import Json
from bihuanctl.platform.bus import operator_bus
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Messages that a service could not handle.")

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the dead letter, see `list`.")]
Numbers = Annotated[list[int], typer.Argument(metavar="NUMBER…", help="Numbers of dead letters.")]
T = TypeVar("T")


@app.command("list")
def list_(
    context: typer.Context,
    service: Annotated[str | None, typer.Option("--service", help="Only this service.")] = None,
    *,
    discarded: Annotated[bool, typer.Option("--discarded", help="Those that were discarded, by whom and why.")] = False,
    as_json: Json = False,
) -> None:
    """List the dead letters, oldest first."""
    session = Session.of(context)
    letters = asyncio.run(_all(session, service, discarded=discarded))
    if as_json:
        session.print_json([_as_dict(letter) for letter in letters])
        return
    if not letters:
        session.say("dead_letters.none")
        return
    columns = ("number", "service", "subject", "case_id", "reason", "attempts", "died_at")
    table = Table(*(session.texts(f"dead_letters.{column}") for column in columns))
    for letter in letters:
        table.add_row(
            str(letter.number),
            letter.service,
            letter.subject,
            letter.case_id,
            _why(session, letter),
            str(letter.attempts),
            _when(letter),
        )
    session.console.print(table)


@app.command()
def show(context: typer.Context, number: Number, *, as_json: Json = False) -> None:
    """Show one dead letter with its headers and content."""
    session = Session.of(context)
    letter = asyncio.run(_one(session, number))
    if as_json:
        session.print_json(_as_dict(letter) | {"headers": dict(letter.headers), "content": letter.content()})
        return
    facts = Table.grid(padding=(0, 2))
    facts.add_column()
    facts.add_column(overflow="fold")
    shown = _as_dict(letter) | {"reason": _reason(session, letter), "died_at": _when(letter)}
    for name, value in shown.items():
        if value not in {"", None}:
            facts.add_row(session.texts(f"dead_letters.{name}"), Text(str(value)))
    session.console.print(facts)
    session.console.print_json(data=letter.content())


@app.command()
def redrive(
    context: typer.Context,
    numbers: Annotated[list[int] | None, typer.Argument(metavar="NUMBER…", help="Numbers of dead letters.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    as_json: Json = False,
) -> None:
    """Send dead letters again, each to the one service that failed."""
    session = Session.of(context)
    if bool(numbers) == every:
        raise Refusal("redrive_what")
    sent = asyncio.run(_redrive(session, numbers))
    if as_json:
        session.print_json({"redriven": [_as_dict(letter) for letter in sent]})
    else:
        for letter in sent:
            session.say("dead_letters.redriven", number=letter.number, service=letter.service, subject=letter.subject)
        session.say("dead_letters.redriven_count", count=len(sent))


@app.command()
def discard(
    context: typer.Context,
    numbers: Numbers,
    reason: Annotated[str, typer.Option("--reason", help="Why it shall never take effect; kept with your name.")],
    *,
    as_json: Json = False,
) -> None:
    """Give dead letters up for good: they are kept apart, and the loop check no longer waits for them."""
    session = Session.of(context)
    if not reason.strip():
        raise Refusal("discard_why")
    letters = asyncio.run(_discard(session, numbers, reason.strip()))
    if as_json:
        session.print_json({"discarded": [_as_dict(letter) for letter in letters]})
        return
    for letter in letters:
        session.say("dead_letters.discarded", number=letter.number, service=letter.service, subject=letter.subject)


async def _all(session: Session, service: str | None, *, discarded: bool) -> list[DeadLetter]:
    async with operator_bus(session.layout.bus_login) as jetstream:
        found = list_discarded(jetstream, service) if discarded else list_dead_letters(jetstream, service)
        return [letter async for letter in found]


async def _one(session: Session, number: int) -> DeadLetter:
    async with operator_bus(session.layout.bus_login) as jetstream:
        return await _known(number, show_dead_letter(jetstream, number))


async def _redrive(session: Session, numbers: list[int] | None) -> list[DeadLetter]:
    async with operator_bus(session.layout.bus_login) as jetstream:
        # Listed before the first is sent: one that dies again at once must not be sent for ever.
        wanted = numbers or [letter.number async for letter in list_dead_letters(jetstream)]
        return [await _known(number, redrive_dead_letter(jetstream, number)) for number in wanted]


async def _discard(session: Session, numbers: list[int], reason: str) -> list[DeadLetter]:
    async with operator_bus(session.layout.bus_login) as jetstream:
        for number in numbers:  # all or nothing: a wrong number must not be noticed half-way
            await _known(number, show_dead_letter(jetstream, number))
        by = getpass.getuser()
        return [await _known(each, discard_dead_letter(jetstream, each, by=by, because=reason)) for each in numbers]


async def _known(number: int, letter: Awaitable[T]) -> T:
    try:
        return await letter
    except LookupError:
        raise Refusal("dead_letter_unknown", number=number) from None


def _why(session: Session, letter: DeadLetter) -> str:
    died = f"{_reason(session, letter)}: {letter.error}"
    if not letter.discarded_by:
        return died
    decision = {"by": letter.discarded_by, "because": letter.discarded_because}
    return f"{died}\n{session.texts('dead_letters.decision', **decision)}"


def _when(letter: DeadLetter) -> str:
    return local(letter.died_at) if letter.died_at else ""


def _reason(session: Session, letter: DeadLetter) -> str:
    """In the reader's language; as it stands where a newer service has a reason that we don't know."""
    key = f"dead_letters.reasons.{letter.reason}"
    return session.texts(key) if session.texts.has(key) else letter.reason


def _as_dict(letter: DeadLetter) -> dict[str, Any]:
    return {
        "number": letter.number,
        "service": letter.service,
        "subject": letter.subject,
        "type": letter.type,
        "event_id": letter.event_id,
        "case_id": letter.case_id,
        "reason": letter.reason,
        "error": letter.error,
        "attempts": letter.attempts,
        "died_at": letter.died_at,
        "discarded_by": letter.discarded_by,
        "discarded_because": letter.discarded_because,
    }

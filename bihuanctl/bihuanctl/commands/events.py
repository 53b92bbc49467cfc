"""`bihuan events`: what has happened, straight from the bus."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.text import Text
from servicekit.messaging.streams import COMMANDS, EVENTS
from servicekit.moments import local

from bihuanctl.cases import find_case_id
from bihuanctl.commands.options import Follow, Json
from bihuanctl.platform.bus import operator_bus
from bihuanctl.platform.eventlog import LoggedMessage, content, describe, last_sequence, read_stream
from bihuanctl.session import Session

LONGEST_VALUE = 60

app = typer.Typer(add_completion=False)


@app.command()
def events(
    context: typer.Context,
    subject: Annotated[str, typer.Option("--subject", help="Only this subject; * and > as in NATS.")] = "",
    case: Annotated[str, typer.Option("--case", help="Only this case (number or id).")] = "",
    last: Annotated[int, typer.Option("--last", "-n", min=0, help="How many of the newest; 0: all.")] = 50,
    *,
    commands: Annotated[bool, typer.Option("--commands", help="The commands between services instead.")] = False,
    follow: Follow = False,
    as_json: Json = False,
) -> None:
    """List what happened on the bus, or watch it happen."""
    session = Session.of(context)
    stream = COMMANDS if commands else EVENTS
    try:
        asyncio.run(_list(session, stream, subject, case, last, follow=follow, as_json=as_json))
    except KeyboardInterrupt:
        raise typer.Exit from None


async def _list(
    session: Session, stream: str, subject: str, case: str, last: int, *, follow: bool, as_json: bool
) -> None:
    case_id = await find_case_id(session, case) if case else ""
    async with operator_bus(session.layout.bus_login) as jetstream:
        # With a filter the newest matches may lie anywhere: then everything is read and the end is kept.
        after = max(0, await last_sequence(jetstream, stream) - last) if last and not (subject or case_id) else 0
        kept: list[LoggedMessage] = []
        async for message in read_stream(jetstream, stream, subject=subject, after=after):
            if _is_about(message, case_id):
                kept.append(message)
                after = message.sequence
                if last:
                    del kept[:-last]
        for message in kept:
            _print(session, message, as_json=as_json)
        if follow:
            async for message in read_stream(jetstream, stream, subject=subject, after=after, follow=True):
                if _is_about(message, case_id):
                    _print(session, message, as_json=as_json)


def _is_about(message: LoggedMessage, case_id: str) -> bool:
    return not case_id or (message.envelope is not None and message.envelope.case_id == case_id)


def _print(session: Session, message: LoggedMessage, *, as_json: bool) -> None:
    if as_json:
        session.print_json_line(describe(message))
        return
    envelope = message.envelope
    moment = envelope.occurred_at if envelope else message.stored_at
    line = Text.assemble(
        (f"{message.sequence:>7} ", "dim"),
        (f"{local(moment)} ", "dim"),
        (message.subject.removeprefix("bihuan."), "cyan"),
        f" {_facts(message)}",
    )
    session.console.print(line, soft_wrap=True)


def _facts(message: LoggedMessage) -> str:
    """What a message says, on one line: what is nested or long is only named, `--json` has it all."""
    data = content(message.body)
    if not isinstance(data, dict):
        return str(data)
    return " ".join(f"{name}={'…' if len(str(value)) > LONGEST_VALUE else value}" for name, value in data.items())

"""`bihuan case`: where one case stands, and how it came there (INT-10)."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Any

import typer
from bihuan.intake.v1 import cases_pb2
from google.protobuf.json_format import MessageToDict
from rich.table import Table
from servicekit.histories import actor_in_words, details_in_words, happened_in_words
from servicekit.moments import local

from bihuanctl.cases import intake
from bihuanctl.commands.options import CaseArgument, Json
from bihuanctl.session import Session
from standards import load

app = typer.Typer(add_completion=False)


@app.command()
def case(context: typer.Context, case: CaseArgument, *, as_json: Json = False) -> None:
    """Show one case: stage, who is responsible, what is promised by when, what comes next, and its history."""
    session = Session.of(context)
    progress, history = asyncio.run(_read(session, case))
    if as_json:
        session.print_json({"progress": _as_dict(progress), "history": [_as_dict(entry) for entry in history.entries]})
    else:
        _print(session, progress, history)


async def _read(session: Session, case: str) -> tuple[cases_pb2.Progress, cases_pb2.GetCaseHistoryResponse]:
    async with intake(session) as stub:
        return (
            await stub.GetProgress(cases_pb2.GetCaseRequest(case=case)),
            await stub.GetCaseHistory(cases_pb2.GetCaseHistoryRequest(case=case)),
        )


def _print(session: Session, progress: cases_pb2.Progress, history: cases_pb2.GetCaseHistoryResponse) -> None:
    facts = Table.grid(padding=(0, 2))
    facts.add_row(session.texts("case.number"), progress.case_number)
    facts.add_row(session.texts("case.stage"), progress.stage_text)
    facts.add_row(session.texts("case.responsible"), progress.responsible)
    facts.add_row(session.texts("case.promise"), progress.promise_text)
    facts.add_row(session.texts("case.next"), progress.next_text)
    session.console.print(facts)
    table = Table()
    for column in ("at", "happened", "actor", "details"):
        # Ids among them are typed again: they must come out whole, however narrow the terminal.
        table.add_column(session.texts(f"case.{column}"), overflow="fold", no_wrap=column == "at")
    language, standards = session.texts.language, load()
    for entry in history.entries:
        table.add_row(
            local(entry.at.ToDatetime(UTC)),
            happened_in_words(entry.happened, language),
            actor_in_words(entry.actor, language),
            details_in_words(entry.details, standards, language),
        )
    session.console.print(table)


def _as_dict(message: Any) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)

"""`bihuan archive`: the catalogue, requests, openings and packages, holds, destructions (REC-03, REC-06, REC-07)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import uuid4

import typer
from bihuan.records.v1 import accesses_pb2, records_pb2, retention_pb2
from rich.table import Table
from servicekit.languages import Language
from servicekit.moments import CHINA_TIME

from bihuanctl.archive import Desk, as_dict, desk
from bihuanctl.commands.archivelog import audit, consistency, head, keys
from bihuanctl.commands.options import Json
from bihuanctl.session import Session
from standards import Standards, label_of, load

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The archive: search, request, open, export, keep.")
for command in (head, keys, consistency, audit):
    app.command()(command)

As = Annotated[str, typer.Option("--as", metavar="USER", help="User, see `bihuan users`.")]
RecordArgument = Annotated[str, typer.Argument(metavar="RECORD", help="Record number, or number or id of its case.")]
RequestArgument = Annotated[str, typer.Argument(metavar="REQUEST", help="Id of the request.")]
DestructionArgument = Annotated[str, typer.Argument(metavar="DESTRUCTION", help="Id of the destruction.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write it there.")]
T = TypeVar("T")


@app.command()
def search(
    context: typer.Context,
    region: Annotated[str, typer.Option("--region", help="Only this region and below.")] = "",
    record_class: Annotated[str, typer.Option("--class", help="Only this class of records.")] = "",
    limit: Annotated[int, typer.Option("--last", min=1, max=200, help="How many of the newest.")] = 20,
    user: As = "archivist",
    *,
    past_retention: Annotated[bool, typer.Option("--past-retention", help="Only what may be destroyed.")] = False,
    as_json: Json = False,
) -> None:
    """Search the catalogue: what exists, without content."""
    wanted = records_pb2.ListRecordsRequest(
        page_size=limit, region=region, record_class=record_class, past_retention=past_retention
    )
    session = Session.of(context)
    found = _ask(session, user, lambda calls: calls.records.ListRecords(wanted))
    if as_json:
        session.print_json(as_dict(found))
        return
    if not found.records:
        session.say("archive.none")
        return
    table = Table()
    for column in ("record", "case", "class", "grade", "region", "closed"):
        # Numbers are typed again: they must come out whole, however narrow the terminal.
        table.add_column(
            session.texts(f"archive.{column}"), overflow="fold", no_wrap=column in {"record", "case", "closed"}
        )
    for record in found.records:
        table.add_row(*_row(record, load(), session.texts.language))
    session.console.print(table)


@app.command()
def request(
    context: typer.Context,
    record: RecordArgument,
    purpose: Annotated[str, typer.Option("--purpose", help="What the record is needed for.")] = "",
    user: As = "archivist",
    *,
    as_json: Json = False,
) -> None:
    """Ask to open a record."""
    wanted = accesses_pb2.RequestAccessRequest(record=record, purpose=purpose, idempotency_key=str(uuid4()))
    _do(context, user, lambda calls: calls.accesses.RequestAccess(wanted), as_json=as_json)


@app.command()
def approve(
    context: typer.Context, request: RequestArgument, user: As = "supervisor", *, as_json: Json = False
) -> None:
    """Approve somebody else's request."""
    wanted = accesses_pb2.ApproveAccessRequest(request_id=request)
    _do(context, user, lambda calls: calls.accesses.ApproveAccess(wanted), as_json=as_json)


@app.command()
def reject(
    context: typer.Context, request: RequestArgument, reason: Reason, user: As = "supervisor", *, as_json: Json = False
) -> None:
    """Reject somebody else's request."""
    wanted = accesses_pb2.RejectAccessRequest(request_id=request, reason=reason)
    _do(context, user, lambda calls: calls.accesses.RejectAccess(wanted), as_json=as_json)


@app.command("open")
def open_(
    context: typer.Context, request: RequestArgument, to: To = None, user: As = "archivist", *, as_json: Json = False
) -> None:
    """Open a record whose request is approved. With --to as a page for reading."""
    session = Session.of(context)
    wanted = accesses_pb2.OpenRecordRequest(request_id=request)
    opened = _ask(session, user, lambda calls: calls.accesses.OpenRecord(wanted))
    if to:
        to.write_text(opened.html, encoding="utf-8")
    shown = as_dict(opened)
    del shown["html"]
    _show(session, shown, as_json=as_json)


@app.command()
def export(
    context: typer.Context, request: RequestArgument, to: To = None, user: As = "archivist", *, as_json: Json = False
) -> None:
    """Export a record whose request is approved: a BagIt package with proofs, for `bihuan-verify package`."""
    session = Session.of(context)
    wanted = accesses_pb2.ExportRecordRequest(request_id=request)
    exported = _ask(session, user, lambda calls: calls.accesses.ExportRecord(wanted))
    file = to or Path(exported.file_name)
    file.write_bytes(exported.package)
    _show(session, {"file": str(file), "sha256": exported.sha256}, as_json=as_json)


@app.command()
def accesses(context: typer.Context, record: RecordArgument, user: As = "archivist", *, as_json: Json = False) -> None:
    """Show who looked into a record, and who was refused."""
    wanted = accesses_pb2.ListRecordAccessesRequest(record=record)
    _do(context, user, lambda calls: calls.accesses.ListRecordAccesses(wanted), as_json=as_json)


@app.command()
def hold(
    context: typer.Context, record: RecordArgument, reason: Reason, user: As = "archivist", *, as_json: Json = False
) -> None:
    """Keep a record whatever its age."""
    wanted = retention_pb2.PlaceHoldRequest(record=record, reason=reason, idempotency_key=str(uuid4()))
    _do(context, user, lambda calls: calls.retention.PlaceHold(wanted), as_json=as_json)


@app.command()
def release(
    context: typer.Context,
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="Id of the hold.")],
    user: As = "archivist",
    *,
    as_json: Json = False,
) -> None:
    """End a hold."""
    wanted = retention_pb2.ReleaseHoldRequest(hold_id=hold)
    _do(context, user, lambda calls: calls.retention.ReleaseHold(wanted), as_json=as_json)


@app.command()
def destroy(
    context: typer.Context, record: RecordArgument, reason: Reason, user: As = "archivist", *, as_json: Json = False
) -> None:
    """Propose to destroy a record whose time is over. Others must approve."""
    wanted = retention_pb2.ProposeDestructionRequest(record=record, reason=reason, idempotency_key=str(uuid4()))
    _do(context, user, lambda calls: calls.retention.ProposeDestruction(wanted), as_json=as_json)


@app.command("approve-destruction")
def approve_destruction(
    context: typer.Context, destruction: DestructionArgument, user: As = "supervisor", *, as_json: Json = False
) -> None:
    """Approve a destruction. The last approval that is needed destroys the record for good."""
    wanted = retention_pb2.ApproveDestructionRequest(destruction_id=destruction)
    _do(context, user, lambda calls: calls.retention.ApproveDestruction(wanted), as_json=as_json)


@app.command()
def certificate(
    context: typer.Context, destruction: DestructionArgument, to: To = None, user: As = "archivist"
) -> None:
    """Give the certificate of a destruction, for `bihuan-verify entry`."""
    session = Session.of(context)
    wanted = retention_pb2.GetDestructionRequest(destruction_id=destruction)
    proof = _ask(session, user, lambda calls: calls.retention.GetDestructionCertificate(wanted))
    session.keep_json(as_dict(proof), to)


def _row(record: records_pb2.Record, standards: Standards, language: Language) -> tuple[str, ...]:
    grade = records_pb2.DataGrade.Name(record.grade).removeprefix("DATA_GRADE_").lower()
    return (
        record.record_number,
        record.case_number,
        label_of(standards.retention, record.record_class, language),
        label_of(standards.levels.data_grades, grade, language),
        label_of(standards.regions, record.region, language),
        f"{record.closed_at.ToDatetime(UTC).astimezone(CHINA_TIME):%Y-%m-%d}",
    )


def _do(context: typer.Context, user: str, call: Callable[[Desk], Awaitable[Any]], *, as_json: bool) -> None:
    session = Session.of(context)
    _show(session, as_dict(_ask(session, user, call)), as_json=as_json)


def _ask(session: Session, user: str, call: Callable[[Desk], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with desk(session, user) as calls:
            return await call(calls)

    return asyncio.run(ask())


def _show(session: Session, shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        session.print_json(shown)
    else:
        session.console.print_json(data=shown)

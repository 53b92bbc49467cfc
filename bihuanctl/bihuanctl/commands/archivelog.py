"""`bihuan archive head`, `keys`, `consistency`, `audit`: the log, and whether the archive still fits it (REC-04)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Annotated, Any

import typer
from bihuan.records.v1 import log_pb2
from bihuan_verify.documents import read_head, read_json, read_keys
from bihuan_verify.findings import CheckError, say
from bihuan_verify.logfile import check_log_file

from bihuanctl.archive import Desk, as_dict, desk
from bihuanctl.commands.options import Json
from bihuanctl.platform.accounts import ADMINISTRATOR
from bihuanctl.platform.files import replacing
from bihuanctl.refusal import EXIT_FAILED, Refusal
from bihuanctl.session import Session

Keep = Annotated[Path | None, typer.Option("--keep", metavar="FILE", help="Keep it there, for `bihuan-verify`.")]


def head(context: typer.Context, keep: Keep = None) -> None:
    """Show the newest signed head of the log."""
    _give(context, keep, lambda calls: calls.log.GetTreeHead(log_pb2.GetTreeHeadRequest()))


def keys(context: typer.Context, keep: Keep = None) -> None:
    """Show the public keys that heads are signed with."""
    _give(context, keep, lambda calls: calls.log.ListLogKeys(log_pb2.ListLogKeysRequest()))


def consistency(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A head that was kept earlier.")],
    keep: Keep = None,
) -> None:
    """Prove that nothing was changed or taken out since an old head, for `bihuan-verify consistency`."""
    try:
        first = read_head(read_json(old.read_bytes())).tree_size
    except CheckError as wrong:
        raise Refusal("document_wrong", path=old, reason=wrong.text(Session.of(context).texts.language)) from None
    wanted = log_pb2.GetConsistencyProofRequest(first_size=first)
    _give(context, keep, lambda calls: calls.log.GetConsistencyProof(wanted))


def audit(context: typer.Context, keep: Keep = None, *, as_json: Json = False) -> None:
    """Compare the whole log with what the archive holds. Exit status 1 when anything was changed or deleted."""
    session = Session.of(context)
    # By way of a file: a log may be larger than the memory. One that was kept before stays until all of this is here.
    with replacing(keep) if keep else TemporaryFile() as file:
        trusted = asyncio.run(_fetch(session, file))
        outcome = check_log_file(file, trusted)
    language = session.texts.language
    if as_json:
        found = [{"code": each.code, "where": each.where, "text": each.text(language)} for each in outcome.findings]
        session.print_json({"clean": not found, "findings": found})
    else:
        for code, values in outcome.checked:
            session.tell(say(code, language, **values), style="green")
        for finding in outcome.findings:
            session.tell(f"✘ {finding.text(language)}", style="red")
    raise typer.Exit(EXIT_FAILED if outcome.findings else 0)


async def _fetch(session: Session, file: IO[bytes]) -> dict[str, bytes]:
    """Writes the log to `file`, a line for each page, and gives the keys that its heads may be signed with."""
    async with desk(session, ADMINISTRATOR) as calls:
        trusted = read_keys(as_dict(await calls.log.ListLogKeys(log_pb2.ListLogKeysRequest())))
        async for page in calls.log_pages():
            file.write(json.dumps(page, ensure_ascii=False).encode() + b"\n")
        return trusted


def _give(context: typer.Context, keep: Path | None, call: Callable[[Desk], Awaitable[Any]]) -> None:
    session = Session.of(context)

    async def ask() -> Any:
        async with desk(session, ADMINISTRATOR) as calls:
            return await call(calls)

    session.keep_json(as_dict(asyncio.run(ask())), keep)

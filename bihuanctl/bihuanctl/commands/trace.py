"""`bihuan trace`: the whole life of a case as a timeline (TRC-01)."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import typer
from servicekit.telemetry.spanstore import SpanStore, StoredSpan

from bihuanctl.cases import find_case_id
from bihuanctl.commands.options import CaseArgument, Json
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session
from bihuanctl.traceview.drawing import draw
from bihuanctl.traceview.timeline import build_timeline
from standards import load

app = typer.Typer(add_completion=False)


@app.command()
def trace(context: typer.Context, case: CaseArgument, *, as_json: Json = False) -> None:
    """Draw the whole life of a case: its stages in platform time, and the requests that moved it across services."""
    session = Session.of(context)
    case_id = asyncio.run(find_case_id(session, case))
    spans = _spans(session, case_id)
    if not spans:
        raise Refusal("trace_unknown", case=case)
    if as_json:
        session.print_json({"case_id": case_id, "spans": [asdict(span) for span in spans]})
        return
    for line in draw(build_timeline(case_id, spans), session.texts, load(), width=session.console.width):
        session.console.print(line, soft_wrap=True)


def _spans(session: Session, case_id: str) -> list[StoredSpan]:
    if not session.layout.span_store.exists():
        return []
    store = SpanStore(session.layout.span_store)
    try:
        return store.spans_of_case(case_id)
    finally:
        store.close()

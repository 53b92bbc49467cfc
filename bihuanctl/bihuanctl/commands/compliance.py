"""`bihuan compliance`: what the manuals ask, clause by clause, and what came of it (QLT-01, QLT-08)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from typing import Annotated, Any

import typer
from bihuan.quality.v1 import indicators_pb2 as pb
from bihuan.quality.v1.indicators_pb2_grpc import IndicatorServiceStub
from google.protobuf.json_format import MessageToDict
from rich.table import Table
from rich.text import Text
from servicekit.moments import local

from bihuanctl.commands.options import Json
from bihuanctl.platform.channels import channels
from bihuanctl.platform.signin import operator_token
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session
from standards import label_of, load

SERVICE = "quality"
COLOURS = {"kept": "green", "near": "yellow", "breached": "bold red"}

app = typer.Typer(add_completion=False)


@app.command()
def compliance(
    context: typer.Context,
    clause: Annotated[str, typer.Argument(help="Only this clause and those below it, such as A2 or C3.2.")] = "",
    period: Annotated[
        str, typer.Option("--period", help="Such as 2026-11, 2026-W47, 2026-Q4 or 2026; else this month.")
    ] = "",
    region: Annotated[str, typer.Option("--region", help="Only this region and what lies in it.")] = "",
    *,
    cases: Annotated[bool, typer.Option("--cases", help="Name the cases, work orders … that fall short.")] = False,
    as_json: Json = False,
) -> None:
    """Hold what the manuals ask against what came of it, clause by clause."""
    session = Session.of(context)
    asked = pb.GetComplianceRequest(clause=clause, period=period, region=region)
    found, failing = asyncio.run(_ask(session, asked, with_cases=cases))
    if not found.rows:
        raise Refusal("clause_unknown", clause=clause)
    if as_json:
        session.print_json(_as_dict(found, failing, with_cases=cases))
        return
    session.console.print(_table(session, found))
    for row, contributions in failing:
        _print_cases(session, row, contributions)
    if cases and not failing:
        session.say("compliance.no_cases")


Failing = list[tuple[pb.ComplianceRow, list[pb.Contribution]]]


async def _ask(
    session: Session, asked: pb.GetComplianceRequest, *, with_cases: bool
) -> tuple[pb.GetComplianceResponse, Failing]:
    """The table, and with cases what falls short of each indicator in it, once."""
    state = session.platform()
    token = operator_token(state, session.layout.issuer, session.environment)
    targets = {SERVICE: state.targets[SERVICE]}
    async with channels(targets, token, session.texts.language) as opened:
        stub = IndicatorServiceStub(opened[SERVICE])  # type: ignore[no-untyped-call]
        found = await stub.GetCompliance(asked)
        measured = {row.indicator: row for row in found.rows if row.indicator} if with_cases else {}
        failing: Failing = []
        for row in measured.values():
            contributions = [each async for each in _contributions(stub, row.indicator, found)]
            if contributions:
                failing.append((row, contributions))
    return found, failing


async def _contributions(
    stub: IndicatorServiceStub, indicator: str, found: pb.GetComplianceResponse
) -> AsyncIterator[pb.Contribution]:
    page_token = ""
    while True:
        request = pb.ListContributionsRequest(
            indicator=indicator,
            period=found.period,
            region=found.region,
            only_failing=True,
            page_size=500,
            page_token=page_token,
        )
        page = await stub.ListContributions(request)
        for contribution in page.contributions:
            yield contribution
        page_token = page.next_page_token
        if not page_token:
            return


def _table(session: Session, found: pb.GetComplianceResponse) -> Table:
    texts = session.texts
    region = label_of(load().regions, found.region, texts.language)
    title = texts("compliance.title", period=found.period, region=region, version=found.standards_version)
    table = Table(title=title, title_justify="left")
    for column in ("clause", "what", "target"):
        table.add_column(texts(f"compliance.{column}"))
    for column in ("figure", "sample"):
        table.add_column(texts(f"compliance.{column}"), justify="right")
    table.add_column(texts("compliance.verdict"), no_wrap=True)
    for row in found.rows:
        verdict = _verdict(row)
        value = _with_unit(session, row, row.value) if row.HasField("value") else ""
        shown = Text(texts(f"compliance.verdicts.{verdict}"), style=COLOURS.get(verdict, "dim"))
        table.add_row(row.clause, row.label, _target(session, row), value, str(row.sample), shown)
    return table


def _target(session: Session, row: pb.ComplianceRow) -> str:
    if not row.HasField("target"):
        return ""
    level = session.texts(f"compliance.{row.direction}", level=f"{row.target:g}", unit=_unit(session, row)).strip()
    strictness = session.texts(f"compliance.strictness.{row.strictness}")
    return session.texts("compliance.asked", level=level, strictness=strictness)


def _with_unit(session: Session, row: pb.ComplianceRow, value: float) -> str:
    """With two decimals at most: `--json` has all that there are."""
    number = f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{number} {_unit(session, row)}".strip()


def _unit(session: Session, row: pb.ComplianceRow) -> str:
    return session.texts(f"compliance.unit.{row.unit}")


def _print_cases(session: Session, row: pb.ComplianceRow, contributions: Sequence[pb.Contribution]) -> None:
    texts = session.texts
    columns = (texts(f"compliance.{column}") for column in ("subject", "at", "value", "region"))
    table = Table(*columns, title=texts("compliance.cases", indicator=row.label), title_justify="left")
    for each in contributions:
        value = _with_unit(session, row, each.value)
        table.add_row(each.subject_id, local(each.at.ToDatetime(UTC)), value, each.region)
    session.console.print(table)


def _verdict(row: pb.ComplianceRow) -> str:
    return pb.Verdict.Name(row.verdict).removeprefix("VERDICT_").lower()


def _as_dict(found: pb.GetComplianceResponse, failing: Failing, *, with_cases: bool) -> dict[str, Any]:
    rows = [
        {
            "clause": row.clause,
            "indicator": row.indicator or None,
            "label": row.label,
            "unit": row.unit,
            "direction": row.direction,
            "target": row.target if row.HasField("target") else None,
            "strictness": row.strictness,
            "figure": row.value if row.HasField("value") else None,
            "n": row.sample,
            "verdict": _verdict(row),
        }
        for row in found.rows
    ]
    whole: dict[str, Any] = {
        "period": found.period,
        "region": found.region,
        "standards_version": found.standards_version,
        "clauses": rows,
    }
    if with_cases:
        whole["cases"] = {
            row.indicator: [MessageToDict(each, preserving_proto_field_name=True) for each in contributions]
            for row, contributions in failing
        }
    return whole

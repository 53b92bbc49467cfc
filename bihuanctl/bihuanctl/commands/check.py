"""`bihuan check`: proves that nothing fell out of the loop, or names what did."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

import typer

from bihuanctl.check.facts import Snapshot
from bihuanctl.check.findings import Finding
from bihuanctl.check.gather import Inspector
from bihuanctl.check.rules import judge
from bihuanctl.check.tables import entities_table, services_table
from bihuanctl.commands.options import Json
from bihuanctl.platform.bus import operator_bus
from bihuanctl.platform.channels import channels
from bihuanctl.platform.signin import operator_token
from bihuanctl.refusal import EXIT_FAILED
from bihuanctl.session import Session
from bihuanctl.texts import Texts

# Findings printed for people; scripts get them all.
MOST_SHOWN = 100

app = typer.Typer(add_completion=False)


@app.command()
def check(
    context: typer.Context,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait until nothing is on its way.")] = 20.0,
    *,
    as_json: Json = False,
) -> None:
    """Compare all services and the event log. Exit status 1 when anything fell out of the loop."""
    session = Session.of(context)
    snapshot = asyncio.run(gather(session, wait))
    findings = judge(snapshot)
    if as_json:
        session.print_json(as_dict(snapshot, findings))
    else:
        _print(session, snapshot, findings)
    raise typer.Exit(EXIT_FAILED if findings else 0)


async def gather(session: Session, wait: float) -> Snapshot:
    """The whole loop, once it is quiet or after `wait` seconds."""
    state = session.platform()
    token = operator_token(state, session.layout.issuer, session.environment)
    language = session.texts.language
    async with operator_bus(session.layout.bus_login) as jetstream, channels(state.targets, token, language) as opened:
        return await Inspector(opened, jetstream, language).gather_when_quiet(wait)


def as_dict(snapshot: Snapshot, findings: list[Finding]) -> dict[str, Any]:
    """The outcome for scripts, each finding in both languages."""
    english, chinese = Texts("en"), Texts("zh-CN")
    return {
        "clean": not findings,
        "findings": [
            asdict(finding)
            | {
                "explanation": {texts.language: finding.explanation(texts) for texts in (english, chinese)},
                "next_step": {texts.language: finding.next_step(texts) for texts in (english, chinese)},
            }
            for finding in findings
        ],
        "services": {service: asdict(backlog) for service, backlog in snapshot.backlogs.items()},
        "entities": {entity: Counter(fact.state for fact in facts) for entity, facts in sorted(snapshot.facts.items())},
        "events": snapshot.events.total,
        "dead_letters": len(snapshot.dead_letters),
    }


def _print(session: Session, snapshot: Snapshot, findings: list[Finding]) -> None:
    texts = session.texts
    session.console.print(services_table(snapshot, texts))
    session.console.print(entities_table(snapshot, texts))
    session.say("check.summary", events=snapshot.events.total, letters=len(snapshot.dead_letters))
    if not findings:
        session.tell(texts("check.clean"), style="bold green")
        return
    session.tell(texts("check.found", count=len(findings)), style="bold red")
    for finding in findings[:MOST_SHOWN]:
        session.tell(f"✘ {finding.code} {finding.entity_id}", style="red")
        session.tell(f"  {finding.explanation(texts)}")
        session.tell(f"  → {finding.next_step(texts)}", style="dim")
    if len(findings) > MOST_SHOWN:
        session.say("check.more", count=len(findings) - MOST_SHOWN)

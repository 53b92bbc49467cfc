"""What one sees at the end: the outcome of the play in tables, and the loop check's word."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.columns import Columns
from rich.table import Table

from bihuanctl.check.findings import Finding
from bihuanctl.check.tables import entities_table
from bihuanctl.demo.csvrows import BadRow
from bihuanctl.demo.figures import Figures, as_dict
from bihuanctl.demo.performance import Outcome
from bihuanctl.durations import spoken
from bihuanctl.session import Session
from bihuanctl.texts import Texts
from standards import load

MOST_SHOWN = 20
STAR = "★"
BAR_LENGTH = 24


def print_bad_rows(session: Session, bad: list[BadRow], playable: int) -> None:
    """Names the rows that can't be played, each with its line and why."""
    if not bad:
        return
    session.tell(session.texts("demo.bad_rows", count=len(bad), playable=playable), style="yellow")
    for row in bad[:MOST_SHOWN]:
        session.console.print(f"  {explain(row, session.texts)}", markup=False, soft_wrap=True)
    if len(bad) > MOST_SHOWN:
        session.say("demo.bad_rows_more", count=len(bad) - MOST_SHOWN)


def explain(row: BadRow, texts: Texts) -> str:
    reason = texts(f"demo.bad_row.{row.code}", **row.params)
    return texts("demo.bad_row_line", line=row.line, reason=reason)


def print_outcome(session: Session, outcome: Outcome) -> None:
    """The tables, the time it took, and what fell out if anything did."""
    figures = outcome.figures
    session.console.print(Columns([_stages(session, figures), _satisfaction(session, figures)], padding=(0, 2)))
    session.console.print(_clocks(session, figures))
    session.console.print(Columns([_traffic(session, figures), _happenings(session, outcome)], padding=(0, 2)))
    session.console.print(entities_table(outcome.snapshot, session.texts))
    session.say("demo.records", filed=figures.records, complete=figures.records_complete, cases=figures.accepted)
    session.say(
        "demo.time",
        seconds=f"{outcome.seconds:.1f}",
        check=f"{outcome.check_seconds:.1f}",
        platform=spoken(outcome.platform_time, session.texts),
        requests=outcome.journal.requests,
        rate=f"{outcome.journal.requests / outcome.seconds:.0f}",
    )


def print_verdict(session: Session, outcome: Outcome) -> None:
    """Nothing fell out, or what did."""
    texts = session.texts
    if outcome.is_clean:
        session.tell(texts("check.clean"), style="bold green")
        return
    for trouble in dict.fromkeys(outcome.journal.troubles[:MOST_SHOWN]):
        session.tell(texts("demo.trouble", trouble=trouble), style="red")
    for scene in outcome.scenes:
        if scene.trouble:
            line = texts("demo.scene_failed", title=scene.title, trouble=scene.trouble)
            session.tell(line, style="red")
    for story in outcome.unfinished[:MOST_SHOWN]:
        case = story.case["case_number"] if story.case else "—"
        session.tell(texts("demo.unfinished", case=case, subject=story.request.subject), style="red")
    if outcome.findings:
        session.tell(texts("check.found", count=len(outcome.findings)), style="bold red")
    for finding in outcome.findings[:MOST_SHOWN]:
        session.tell(f"✘ {finding.code} {finding.explanation(texts)}", style="red")
        session.tell(f"  → {finding.next_step(texts)}", style="dim")


def outcome_as_dict(outcome: Outcome, bad: list[BadRow], language_texts: Texts) -> dict[str, Any]:
    """Everything for scripts."""
    journal = outcome.journal
    return {
        "clean": outcome.is_clean,
        **as_dict(outcome.figures),
        "joined": journal.joined,
        "paused": outcome.happened["pause"],
        "handed_over": outcome.happened["hand_over"],
        "bad_rows": [
            {"line": row.line, "code": row.code, "reason": language_texts(f"demo.bad_row.{row.code}", **row.params)}
            for row in bad
        ],
        "unfinished": [
            story.case["case_number"] if story.case else story.request.subject for story in outcome.unfinished
        ],
        "troubles": journal.troubles,
        "findings": [_finding(finding, language_texts) for finding in outcome.findings],
        "requests": {"sent": journal.requests, "retried": journal.retries, "overtaken": journal.conflicts},
        "scenes": [asdict(scene) for scene in outcome.scenes],
        "seconds": round(outcome.seconds, 2),
        "check_seconds": round(outcome.check_seconds, 2),
        "platform_seconds": round(outcome.platform_time.total_seconds()),
        "example": outcome.example,
    }


def _finding(finding: Finding, texts: Texts) -> dict[str, Any]:
    return asdict(finding) | {"explanation": finding.explanation(texts), "next_step": finding.next_step(texts)}


def _stages(session: Session, figures: Figures) -> Table:
    texts, labels = session.texts, load().stages.cases
    table = Table(title=texts("demo.stages"), title_justify="left")
    table.add_column(texts("demo.stage"))
    table.add_column(texts("demo.cases"), justify="right")
    for stage, number in figures.stages.items():
        style = "green" if stage == "archived" else "red" if number else "dim"
        table.add_row(labels[stage].label[texts.language], str(number), style=style)
    table.add_section()
    table.add_row(texts("demo.accepted"), str(figures.accepted), style="bold")
    return table


def _satisfaction(session: Session, figures: Figures) -> Table:
    texts, said = session.texts, figures.satisfaction
    table = Table(title=texts("demo.satisfaction"), title_justify="left")
    table.add_column(texts("demo.score"))
    table.add_column(texts("demo.answers"), justify="right")
    table.add_column("", min_width=BAR_LENGTH)
    most = max(said.scores.values(), default=0) or 1
    for score, number in said.scores.items():
        bar = "█" * round(BAR_LENGTH * number / most)
        table.add_row(STAR * score, str(number), bar, style="green" if score > 2 else "yellow")  # noqa: PLR2004
    table.add_section()
    table.add_row(texts("demo.mean"), f"{said.mean:.2f}")
    rate = texts("demo.response", answered=said.answered, sent=said.sent)
    table.add_row(texts("demo.response_rate"), f"{said.response_percent:.1f} %", rate)
    return table


def _clocks(session: Session, figures: Figures) -> Table:
    texts, standards = session.texts, load()
    table = Table(title=texts("demo.clocks"), title_justify="left")
    table.add_column(texts("demo.clock_name"))
    for column in ("limit", "met", "warned", "missed", "other"):
        table.add_column(texts(f"demo.clock_{column}"), justify="right")
    for name in standards.clocks:
        if name in figures.clocks:
            counted, standard = figures.clocks[name], standards.clocks[name]
            table.add_row(
                standard.label[texts.language],
                spoken(standard.limit, texts),
                f"[green]{counted.met}[/]",
                f"[yellow]{counted.warned}[/]" if counted.warned else "0",
                f"[red]{counted.missed}[/]" if counted.missed else "0",
                str(counted.other),
            )
    return table


def _traffic(session: Session, figures: Figures) -> Table:
    texts = session.texts
    table = Table(title=texts("demo.events"), title_justify="left")
    table.add_column(texts("check.service"))
    for column in ("published", "consumed"):
        table.add_column(texts(f"demo.{column}"), justify="right")
    for service, traffic in figures.traffic.items():
        table.add_row(service, str(traffic.published), str(traffic.consumed))
    return table


def _happenings(session: Session, outcome: Outcome) -> Table:
    texts, figures = session.texts, outcome.figures
    table = Table(title=texts("demo.happenings"), title_justify="left", show_header=False)
    for key, number in (
        ("by_default", figures.confirmed_by_default),
        ("reopened", figures.reopened),
        ("joined", outcome.journal.joined),
        ("linked", figures.linked),
        ("withdrawn", figures.withdrawn),
        ("paused", outcome.happened["pause"]),
        ("handed_over", outcome.happened["hand_over"]),
        ("visits", figures.visits),
        ("visits_failed", figures.visits_failed),
        ("visits_reassigned", figures.visits_reassigned),
    ):
        table.add_row(texts(f"demo.happened.{key}"), str(number))
    return table

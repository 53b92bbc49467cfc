"""The figures as a table for the terminal, as a page for docs/, and as JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bench.figures import Figure

COLUMNS = ("what", "figure", "of the floor", "target", "")
_ABOUT = """# Measurements

Written by `make bench`, which starts a platform of its own in a temporary folder. The floor is pgbench on the same
PostgreSQL server in the same run: one case row and one outbox row in one transaction, prepared statements, at the same
number of clients. Creations go over HTTP through the gateway, each by a customer who is new, with all services and
consumers running and 10 % of the traces sampled; a process of its own makes the load. Their rate and the floor's are
taken in turns. The spread of the floor is the machine's noise: differences below it mean nothing.
"""


def print_table(console: Console, figures: Sequence[Figure]) -> None:
    table = Table(*COLUMNS)
    group = ""
    for figure in figures:
        if figure.group != group:
            table.add_section()
            group = figure.group
        table.add_row(*_row(figure), style="" if figure.reached is not False else "yellow")
    console.print(table)


def to_json(figures: Sequence[Figure], machine: Mapping[str, str]) -> str:
    return json.dumps({"machine": dict(machine), "figures": [asdict(figure) for figure in figures]}, indent=2)


def to_markdown(figures: Sequence[Figure], machine: Mapping[str, str]) -> str:
    """The page, complete."""
    lines = [_ABOUT, *(f"- {name}: {fact}" for name, fact in machine.items())]
    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            lines += ["", f"## {group.capitalize()}", "", _markdown_row(COLUMNS), "|---|--:|--:|---|---|"]
        lines.append(_markdown_row(_row(figure)))
    return "\n".join(lines) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(figure: Figure) -> tuple[str, ...]:
    of_floor = "" if figure.of_floor is None else f"{figure.of_floor:.3f}"
    reached = {None: "", True: "reached", False: "not reached"}[figure.reached]
    return (
        f"{figure.group}: {figure.name}",
        f"{_number(figure.value)} {figure.unit}".strip(),
        of_floor,
        figure.target,
        reached,
    )


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"

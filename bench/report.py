"""The figures as a table for the terminal, as a page for docs/, and as JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby

from rich.console import Console
from rich.table import Table

from bench.figures import Figure

COLUMNS = ("figure", "measured", "of the floor", "target", "")
_REACHED = {None: "", True: "reached", False: "not reached"}
_ABOUT = """# Measurements

Written by `make bench`, which starts a platform of its own in a temporary folder and removes it afterwards.

- **Floor**: pgbench on the platform's own PostgreSQL server, in the same run: one case row and one outbox row in one
  transaction, prepared statements, at the same number of clients, taken in turns with what is compared with it. Its
  spread is the machine's noise: differences below it mean nothing.
- **Creations**: fault reports over HTTP through the gateway, by customers on file; with all services and consumers
  running, and 10 % of the traces sampled into the local span store. A process of its own makes the load, on the same
  processors. Figures and partners' feeds give way to it (decision 12) and have followed some seconds later. Afterwards
  every case that was answered 201 is looked up in intake's database.
- **Processor time**: of each process, user and system, until every consumer has followed, divided by the pieces of
  work; unlike rates and waits it hardly depends on what else the machine does. PostgreSQL counts with all of its
  connections.
- **Loop**: fault reports from the first word to the filed record, half of them with a visit; customers stay silent, so
  that the platform's clock confirms. Wall time includes waiting until each stage of a wave has taken effect everywhere.
- **Latency**: from the moment an outbox row is written, just before its commit, to a JetStream subscriber that gets it.
- **Deadlines**: servicekit's runner in a process of its own, on the platform's PostgreSQL server.
- **Footprint**: every process below the supervisor, PostgreSQL and NATS included, when nothing happens.
- **Profile**: which package holds Python's lock in a process during first-time creations, sampled by py-spy. What the
  standard library does is its caller's time; what runs below the event loop without a Python frame is the loop's.
"""


def print_table(console: Console, figures: Iterable[Figure]) -> None:
    table = Table("", *COLUMNS)
    for group, members in groupby(figures, key=lambda figure: figure.group):
        table.add_section()
        for index, figure in enumerate(members):
            style = "yellow" if figure.reached is False else ""
            table.add_row("" if index else group, *_cells(figure), style=style)
    console.print(table)


def to_json(figures: Sequence[Figure], machine: Mapping[str, str]) -> str:
    return json.dumps({"machine": dict(machine), "figures": [asdict(figure) for figure in figures]}, indent=2)


def to_markdown(figures: Iterable[Figure], machine: Mapping[str, str]) -> str:
    """The page, complete."""
    lines = [_ABOUT, *(f"- {name}: {fact}" for name, fact in machine.items())]
    for group, members in groupby(figures, key=lambda figure: figure.group):
        lines += ["", f"## {group.capitalize()}", "", _line(COLUMNS), "|---|--:|--:|---|---|"]
        lines += [_line(_cells(figure)) for figure in members]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(figure: Figure) -> tuple[str, ...]:
    share = "" if figure.of_floor is None else f"{figure.of_floor:.3f}"
    value = f"{_number(figure.value)} {figure.unit}".strip()
    return figure.name, value, share, figure.target, _REACHED[figure.reached]


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"

"""The loop check for people's eyes: the work of every service, and everything that is in the loop."""

from __future__ import annotations

from collections import Counter

from rich.table import Table
from servicekit.errors.words import in_words

from bihuanctl.check.facts import Snapshot
from bihuanctl.texts import Texts


def services_table(snapshot: Snapshot, texts: Texts) -> Table:
    """What each service has published and handled, and what waits inside it."""
    columns = ("service", "published", "handled", "outbox", "pending", "clocks", "overdue")
    table = Table(title=texts("check.loop"), title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(texts(f"check.{column}"), justify="right" if number else "left")
    for service, backlog in snapshot.backlogs.items():
        row = (
            backlog.outbox_published,
            backlog.inbox_handled,
            backlog.outbox_waiting + backlog.outbox_parked,
            backlog.consumer_pending,
            backlog.deadlines_running,
            backlog.deadlines_overdue,
        )
        table.add_row(service, *(str(figure) for figure in row))
    return table


def entities_table(snapshot: Snapshot, texts: Texts) -> Table:
    """What each service holds, by state: where everything in the loop stands."""
    table = Table(title=texts("check.entities"), title_justify="left")
    table.add_column(texts("check.service"))
    table.add_column(texts("check.kind"))
    table.add_column(texts("check.count"), justify="right")
    table.add_column(texts("check.states"))
    for entity, facts in sorted(snapshot.facts.items(), key=lambda entry: (entry[1][0].service, entry[0])):
        states = Counter(fact.state for fact in facts)
        shown = " · ".join(
            f"{in_words('state', state, texts.language)} {count}" for state, count in states.most_common()
        )
        # A service that was upgraded before this command may tell of what it does not know yet.
        key = f"check.entity.{entity}"
        kind = texts(key) if texts.has(key) else entity
        table.add_row(facts[0].service, kind, str(len(facts)), shown)
    return table

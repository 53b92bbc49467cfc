"""Clause by clause: target, figure, verdict (QLT-01, QLT-08)."""

import re
from decimal import Decimal

from quality.compliance import rows_of
from quality.figures.queries import Figure
from quality.figures.values import Verdict

from standards import load

STANDARDS = load()


def _rows(clause="", **values):
    figures = {
        name: Figure(name, "", 10 if name in values else 0, Decimal(values[name]) if name in values else None)
        for name in STANDARDS.indicators
    }
    return rows_of(STANDARDS, figures, clause, "en")


def test_each_strictness_is_judged_by_itself_under_its_own_clause():
    rows = {(row.clause, row.strictness): row for row in _rows(satisfaction="91") if row.indicator == "satisfaction"}
    verdicts = {key: (row.target, row.verdict) for key, row in rows.items()}
    assert verdicts == {
        ("C3.2", "regulatory"): (Decimal(90), Verdict.KEPT),
        ("A2.2.1", "promise"): (Decimal(92), Verdict.BREACHED),
        ("E5.1", "internal"): (Decimal(98), Verdict.BREACHED),
    }


def test_every_target_of_the_manuals_is_there_also_where_nothing_measures_it():
    named = {row.label for row in _rows() if row.verdict == Verdict.NOT_MEASURED}
    measured = {each.levels.target for each in STANDARDS.indicators.values() if each.levels}
    assert named == {target.label["en"] for target in STANDARDS.targets.values() if target.name not in measured}
    assert {row.verdict for row in _rows() if row.indicator} <= {Verdict.NO_DATA, Verdict.OBSERVED}


def test_clauses_are_in_their_order_and_hold_those_below_them():
    clauses = [row.clause for row in _rows()]
    numbers = [[clause[0], *map(int, re.findall(r"\d+", clause))] for clause in clauses]
    assert numbers == sorted(numbers)
    below = {row.clause for row in _rows("A2")}
    assert below == {clause for clause in clauses if re.match(r"A2(\.|$)", clause)}
    assert _rows("Z9") == []

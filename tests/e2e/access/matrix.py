"""Who may call what, as matrix.yaml says and as the contracts say, and where the two differ (GWY-08)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from servicekit.identity.access import AccessRule
from servicekit.identity.principal import ROLES
from servicekit.testing.contracts import contract_methods

HERE = Path(__file__).parent
MATRIX = HERE / "matrix.yaml"
PAGE = HERE.parents[2] / "docs" / "access.md"
PUBLIC = "public"
# Roles, or `public`, of each operation by the full name of its service.
Matrix = Mapping[str, Mapping[str, frozenset[str]]]


def stated() -> Matrix:
    """The matrix that people have written down."""
    read: Mapping[str, Mapping[str, Any]] = yaml.safe_load(MATRIX.read_text(encoding="utf-8"))
    return {
        service: {name: frozenset([PUBLIC] if who == PUBLIC else who) for name, who in operations.items()}
        for service, operations in read.items()
    }


def contracted() -> Matrix:
    """The matrix that the contracts amount to."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for operation in contract_methods():
        rule = AccessRule.of(operation)
        who = frozenset([PUBLIC]) if rule.public else rule.roles
        found.setdefault(operation.containing_service.full_name, {})[operation.name] = who
    return found


def differences(wanted: Matrix, found: Matrix) -> list[str]:
    """What the contracts have and the matrix does not, and the other way round, in words."""
    told = []
    for service in sorted(wanted.keys() | found.keys()):
        rows, rules = wanted.get(service, {}), found.get(service, {})
        for name in sorted(rows.keys() | rules.keys()):
            if name not in rows:
                told.append(f"{service}: no row in {MATRIX.name} for\n  {row(name, rules[name])}")
            elif name not in rules:
                told.append(f"{service}/{name}: in {MATRIX.name}, but no contract has it")
            elif rows[name] != rules[name]:
                more, less = sorted(rules[name] - rows[name]), sorted(rows[name] - rules[name])
                told.append(f"{service}/{name}: the contract lets in {more} too, and keeps out {less}")
    return told


def row(name: str, who: frozenset[str]) -> str:
    """A line of matrix.yaml."""
    return f"{name}: {PUBLIC}" if PUBLIC in who else f"{name}: [{', '.join(sorted(who))}]"


def page(matrix: Matrix) -> str:
    """docs/access.md: the matrix as a table for each service."""
    lines = [
        "# Who may do what",
        "",
        f"Made by `make access` from [{MATRIX.name}](../tests/e2e/access/{MATRIX.name}), which tests compare with the",
        "contracts, and with what every service really answers to every role. ● may, within their own domain.",
    ]
    for service, rows in matrix.items():
        roles = [role for role in sorted(ROLES) if any(role in who for who in rows.values())]
        columns = [*roles, PUBLIC] if any(PUBLIC in who for who in rows.values()) else roles
        lines += ["", f"## {service}", "", f"| operation | {' | '.join(columns)} |", f"|---|{':-:|' * len(columns)}"]
        for name, who in rows.items():
            lines.append(f"| {name} | {' | '.join('●' if column in who else '' for column in columns)} |")
    return "\n".join([*lines, ""])

"""What the services' methods may know of how a call came (decision 16)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
METHODS = sorted([*ROOT.glob("services/*/*/rpc/*.py"), ROOT / "servicekit/servicekit/inspection.py"])
CONTEXT = {"context", "_context"}


@pytest.mark.parametrize("module", METHODS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_no_method_takes_anything_of_its_call_but_caller_and_language(module: Path) -> None:
    """gRPC's context is that of the message, in which other calls may have come: to end it would end all of them."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    used = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in CONTEXT
    ]
    assert used == []

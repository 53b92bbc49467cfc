"""Copies of the built-in standards with something changed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def broken_copy(tmp_path) -> Callable[[str, str, str], Path]:
    """Gives a function (file, old text, new text) that makes a copy with the first such text replaced."""

    def make(file: str, old: str, new: str) -> Path:
        copy = tmp_path / "standards"
        if not copy.exists():
            shutil.copytree(DATA, copy)
        path = copy / f"{file}.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file}.yaml has no {old!r} to replace"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return copy

    return make

"""Reads and checks the whole set of standards."""

from __future__ import annotations

import hashlib
import os
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import ValidationError

from standards.documents import Document, read_document
from standards.references import find_broken_references
from standards.standard_set import Contents, Standards
from standards.values import Value

DIRECTORY_VARIABLE = "BIHUAN_STANDARDS_DIR"

_PACKAGE = Path(__file__).parent


def load(directory: Path | str | None = None) -> Standards:
    """The standards of a folder; read once per folder in a process.

    Without a folder: the operator's own of BIHUAN_STANDARDS_DIR, or the built-in ones, so that every room of a process
    judges by the same set. Raises StandardsError with file, line and reason when anything in it is wrong.
    """
    return _load(Path(directory or os.environ.get(DIRECTORY_VARIABLE) or _built_in_directory()))


def _built_in_directory() -> Path:
    """The `data` folder: inside the package when installed from a wheel, beside it in the source tree."""
    inside = _PACKAGE / "data"
    return inside if inside.is_dir() else _PACKAGE.parent / "data"


@lru_cache
def _load(directory: Path) -> Standards:
    models: dict[str, type[Value]] = get_type_hints(Contents)
    documents = {field.name: read_document(directory / f"{field.name}.yaml") for field in fields(Contents)}
    checked: dict[str, Any] = {name: check_document(document, models[name]) for name, document in documents.items()}
    contents = Contents(**checked)
    for name, place, reason in find_broken_references(contents):
        raise documents[name].error(place, reason)
    return Standards(contents, _hash(documents))


def check_document(document: Document, model: type[Value]) -> Value:
    """The document as `model`. Raises StandardsError for the first mistake in it."""
    try:
        return model.model_validate(document.content)
    except ValidationError as wrong:
        first = min(wrong.errors(include_url=False), key=lambda error: document.line_of(error["loc"]))
        raise document.error(first["loc"], first["msg"].removeprefix("Value error, ")) from None


def _hash(documents: dict[str, Document]) -> str:
    digest = hashlib.sha256()
    for name in sorted(documents):
        digest.update(documents[name].checksum)
    return digest.hexdigest()

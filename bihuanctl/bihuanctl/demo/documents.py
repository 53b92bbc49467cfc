"""The demo's data files: read once, refused when something is wrong with them."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from servicekit.documents import packaged

T = TypeVar("T", bound="Document")


class Document(BaseModel):
    """Part of a data file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_data(name: str) -> Any:
    """The content of one file of `data/`."""
    return packaged("bihuanctl.demo", "data", f"{name}.yaml")


def read_document(kind: type[T], name: str) -> T:
    """A file of `data/` as what it must be. Raises pydantic's ValidationError with place and reason."""
    return kind.model_validate(read_data(name))

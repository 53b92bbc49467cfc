"""The demo's data files: read once, refused when something is wrong with them."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict

T = TypeVar("T", bound="Document")


class Document(BaseModel):
    """Part of a data file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_data(name: str) -> Any:
    """The content of one file of `data/`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    source = files("bihuanctl.demo").joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(source, Loader=loader)  # noqa: S506 -- both loaders are safe; the C one is fast


def read_document(kind: type[T], name: str) -> T:
    """A file of `data/` as what it must be. Raises pydantic's ValidationError with place and reason."""
    return kind.model_validate(read_data(name))

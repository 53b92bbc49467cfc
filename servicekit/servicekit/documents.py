"""YAML files that travel with a package: texts, accounts and the like."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml


def packaged(package: str, *path: str) -> Any:
    """The content of a file beside the modules of `package`: `packaged("gateway.hotline", "texts.yaml")`.

    Raises FileNotFoundError, or yaml.YAMLError for what is no YAML.
    """
    return content_of(files(package).joinpath(*path))


def content_of(source: Traversable) -> Any:
    """The content of one file. Raises yaml.YAMLError for what is no YAML."""
    # Both loaders are safe. The C one is ten times as fast, and every start reads several of these files.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(source.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506

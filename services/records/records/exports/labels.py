"""The words of a rendered record in both languages: labels.yaml."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml
from servicekit.languages import Language


@cache
def labels() -> Mapping[str, Mapping[Language, str]]:
    """Every label by name, read once."""
    source = files("records.exports").joinpath("labels.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Mapping[Language, str]] = yaml.safe_load(source)
    return found

"""Regions are dotted paths: `cn.gd.gz` lies in `cn.gd` and in `cn`."""

from typing import Any

from sqlalchemy import ColumnElement, false, or_


def regions_upwards(region: str) -> list[str]:
    """The region itself and all that it lies in, nearest first."""
    parts = region.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def lies_in(column: ColumnElement[Any], region: str) -> ColumnElement[bool]:
    """The condition that a column names this region or one below it; nothing lies in the empty region."""
    if not region:
        return false()
    return or_(column == region, column.startswith(f"{region}.", autoescape=True))

"""Rows into a table, straight on the driver."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import JSON, Table

Convert = Callable[[Any], Any]


async def insert_rows(driver: asyncpg.Connection[Any], table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """See `UnitOfWork.insert`."""
    columns = tuple(rows[0])
    statement, as_json = _statement(table, columns)
    values = [[row[column] for column in columns] for row in rows]
    for place in as_json:
        for row_values in values:
            row_values[place] = json.dumps(row_values[place])
    await driver.executemany(statement, values)


@cache
def _statement(table: Table, columns: tuple[str, ...]) -> tuple[str, list[int]]:
    """The statement, and which of its values must be written as JSON: the driver knows nothing of the table's types."""
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    names = ", ".join(f'"{column}"' for column in columns)
    as_json = [place for place, column in enumerate(columns) if isinstance(table.c[column].type, JSON)]
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', as_json  # noqa: S608 -- names of our own tables

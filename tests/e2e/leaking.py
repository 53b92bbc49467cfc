"""Looking for words in everything that a platform keeps: rows, messages on the bus, logs, spans, whatever is a file."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from bihuanctl.platform.bus import operator_bus
from nats.js.errors import NotFoundError

TABLES = """
SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""
# ONLY: the rows of a partitioned table are those of its partitions.
ROWS = "SELECT row_::text FROM ONLY {table} AS row_ WHERE row_::text LIKE ANY ($1)"


class Words:
    """Words that stand nowhere else, each recognised by the field that it was written into.

    ASCII letters and digits only: they look the same in JSON, in an address and in a log.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._numbers: dict[str, str] = {}

    def of(self, field: str) -> str:
        """What somebody writes into a field."""
        return f"{self._mark}{field.replace('_', '')}0"

    def number(self, field: str) -> str:
        """The same where only digits may stand."""
        return self._numbers.setdefault(field, f"{uuid4().int % 10**11:011d}")

    @property
    def forms(self) -> tuple[bytes, ...]:
        """How they begin, as they stand in a text, and in bytes that are shown in hexadecimal."""
        begin = [self._mark.encode(), *(number.encode() for number in self._numbers.values())]
        return (*begin, *(each.hex().encode() for each in begin))

    def found_in(self, content: bytes) -> set[str]:
        """The fields whose words stand in there."""
        shown = re.sub(rb"\\x([0-9a-f]+)", lambda hexadecimal: bytes.fromhex(hexadecimal[1].decode()), content)
        found = {name.decode() for name in re.findall(self._mark.encode() + rb"([a-z]+)0", shown)}
        return found | {field for field, number in self._numbers.items() if number.encode() in shown}


def leaks(platform: Any, words: Words, since: Mapping[str, int]) -> dict[str, set[str]]:
    """Where which words are still readable: by place, the fields. `since`: see `newest_messages`."""
    places = [*_files(platform.home, words), *asyncio.run(_kept(platform, words, since))]
    assert any(place.startswith("BIHUAN_EVENTS") for place, _ in places), "a story is told on the bus"
    found: defaultdict[str, set[str]] = defaultdict(set)
    for place, content in places:
        if fields := words.found_in(content):
            found[place] |= fields
    return dict(found)


def newest_messages(platform: Any) -> dict[str, int]:
    """The number of the newest message in each stream: what a story tells comes after it."""
    return asyncio.run(_newest(platform))


async def _newest(platform: Any) -> dict[str, int]:
    async with operator_bus(platform.home / "run" / "bus.json") as jetstream:
        return {stream.config.name or "": stream.state.last_seq for stream in await jetstream.streams_info()}


async def _kept(platform: Any, words: Words, since: Mapping[str, int]) -> list[tuple[str, bytes]]:
    return [*await _rows(platform, words), *await _messages(platform, since)]


async def _rows(platform: Any, words: Words) -> list[tuple[str, bytes]]:
    """Rows of any table of any service in which the mark stands."""
    found = []
    patterns = [f"%{form.decode()}%" for form in words.forms]
    port = platform.process("postgres")["port"]
    passwords: dict[str, str] = json.loads((platform.home / "secrets.json").read_text())["database"]
    for service, password in passwords.items():
        login = {"host": "127.0.0.1", "port": port, "user": service, "password": password, "database": service}
        connection = await asyncpg.connect(**login)
        try:
            tables = [row[0] for row in await connection.fetch(TABLES)]
            assert tables, f"{service} has no tables"
            for table in tables:
                rows = await connection.fetch(ROWS.format(table=table), patterns)
                found += [(f"{service}: {table}", row[0].encode()) for row in rows]
        finally:
            await connection.close()
    return found


async def _messages(platform: Any, since: Mapping[str, int]) -> list[tuple[str, bytes]]:
    """Every message of every stream that came after `since`."""
    found = []
    async with operator_bus(platform.home / "run" / "bus.json") as jetstream:
        for name, last in (await _newest(platform)).items():
            for number in range(since.get(name, 0) + 1, last + 1):
                try:
                    message = await jetstream.get_msg(name, seq=number)
                except NotFoundError:  # not kept any more
                    continue
                headers = json.dumps(message.headers or {}).encode()
                found.append((f"{name}: {message.subject}", (message.data or b"") + headers))
    return found


def _files(home: Path, words: Words) -> Iterator[tuple[str, bytes]]:
    """Every file of the platform in which the mark stands: logs, spans, and the servers' own."""
    # Servers make and remove folders all the time: unlike `rglob`, a walk passes by those that are gone.
    for path in sorted(Path(folder, name) for folder, _, names in os.walk(home) for name in names):
        if not path.is_file() or path.is_symlink():
            continue
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # a server has put it away meanwhile
            continue
        if any(form in content for form in words.forms):
            yield f"file {path.relative_to(home)}", content

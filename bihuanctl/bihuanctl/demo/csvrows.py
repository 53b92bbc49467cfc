"""Reading people's CSV files: UTF-8, UTF-16 or GBK, any of the usual separators, bad rows named instead of fatal."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from servicekit.plaintext import is_plain

from bihuanctl.refusal import Refusal

SEPARATORS = ",;\t"
UTF8_MARK = b"\xef\xbb\xbf"
# Spreadsheets write "Unicode text" so; without its mark nobody could tell it from bytes.
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class BadRow:
    """A row that can't be played. `code` is a key below `demo.bad_row.` in texts.yaml."""

    # Line of the file on which the row begins; the header is line 1.
    line: int
    code: str
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A row as it stands in the file, by column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A file that was read."""

    columns: tuple[str, ...]
    rows: tuple[Row | BadRow, ...]


def read_table(path: Path) -> Table:
    """The file's rows, in order.

    Raises Refusal `input_unreadable`, `input_empty`, `header_unreadable`, or `input_no_text` for a file that is no text
    or in an encoding that is not known here.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refusal("input_unreadable", path=path, reason=error) from None
    lines = StringIO(_text(raw), newline="").readlines()
    separator = max(SEPARATORS, key=lines[0].count) if lines else ","
    header = csv.reader(lines, delimiter=separator, strict=True)
    try:
        columns = tuple(name.strip() for name in next(header, []))
    except csv.Error as error:
        # Without names nothing below can be read either: unlike a row, it ends the reading.
        raise Refusal("header_unreadable", path=path, reason=error) from None
    if not any(columns):
        raise Refusal("input_empty", path=path)
    if not all(is_plain(column) and not _is_broken(column) for column in columns):
        raise Refusal("input_no_text", path=path)
    return Table(columns, tuple(_rows(lines, header.line_num, separator, columns)))


def _text(raw: bytes) -> str:
    """The file's text. Bytes that no encoding explains become surrogates, and are found again in their row."""
    if raw.startswith(UTF16_MARKS):
        # Half a character at the end is left out.
        return raw[: len(raw) // 2 * 2].decode("utf-16", "surrogatepass")
    return raw.removeprefix(UTF8_MARK).decode(_encoding(raw), "surrogateescape")


def _is_broken(text: str) -> bool:
    """Whether there were bytes that no encoding explains."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _encoding(raw: bytes) -> str:
    """UTF-8, unless most lines that are not plain ASCII make sense in GBK only.

    Chinese UTF-8 often makes some sense in GBK too, and a line may be broken: a small majority says nothing.
    """
    if raw.startswith(UTF8_MARK):
        return "utf-8"
    lines = [line for line in raw.splitlines() if not line.isascii()]
    utf8 = sum(_reads_as(line, "utf-8") for line in lines)
    return "gb18030" if sum(_reads_as(line, "gb18030") for line in lines) > utf8 * 2 else "utf-8"


def _reads_as(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _rows(lines: list[str], begin: int, separator: str, columns: tuple[str, ...]) -> Iterator[Row | BadRow]:
    """The rows from the line with this index on; people count lines from 1."""
    while begin < len(lines):
        reader = csv.reader(map(lines.__getitem__, range(begin, len(lines))), delimiter=separator, strict=True)
        try:
            cells = next(reader)
        except csv.Error as error:
            # A quote out of place would swallow what follows: only this line is given up.
            yield BadRow(begin + 1, "field_too_long" if "field limit" in str(error) else "malformed")
            begin += 1
            continue
        # An empty line is no row.
        if len(cells) > 1 or any(cell.strip() for cell in cells):
            yield _row(begin + 1, cells, columns)
        begin += reader.line_num


def _row(line: int, cells: list[str], columns: tuple[str, ...]) -> Row | BadRow:
    if len(cells) != len(columns):
        return BadRow(line, "field_count", {"expected": str(len(columns)), "found": str(len(cells))})
    for column, cell in zip(columns, cells, strict=True):
        if _is_broken(cell):
            return BadRow(line, "broken_encoding", {"column": column})
        if not is_plain(cell):
            return BadRow(line, "control_character", {"column": column})
    return Row(line, {column: cell.strip() for column, cell in zip(columns, cells, strict=True)})

"""Numbers that people can read, speak and key in: `2611-0000-0013`, work orders `W…`, records `R…`.

Year and month of the platform's date, a serial number of at least seven digits, and a check digit after Damm, which
finds every single wrong digit and every swap of neighbours. The prefix takes part in it, so a work order's number
isn't mistaken for a case's.
"""

import re
import unicodedata
from datetime import date

from servicekit.database.unit_of_work import UnitOfWork
from servicekit.errors import Fault

MAX_LENGTH = 40
_SERIAL_DIGITS = 7
_GROUP = 4
_SHAPE = re.compile(r"([A-Z]?)(\d{2})(0[1-9]|1[0-2])(\d{7,})(\d)", re.ASCII)
# Hyphens and dashes of every kind, and dots, as people write them between groups.
_SEPARATORS = re.compile(r"[\s\-‐‑‒–—―−－.·_/]")
# The totally anti-symmetric quasigroup of order 10 from H. M. Damm's dissertation (2004).
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_NEXT = "SELECT nextval($1::text::regclass) AS serial FROM generate_series(1, $2)"


async def serials(tx: UnitOfWork, name: str, count: int) -> list[int]:
    """The next `count` values of the database sequence `name`, ascending; gaps are normal."""
    return sorted(row["serial"] for row in await tx.fetch(_NEXT, name, count))


def issue(prefix: str, day: date, serial: int) -> str:
    """The number of the `serial`-th thing, opened on platform date `day`; `prefix` is "" or one capital letter.

    Raises ValueError for a prefix or serial that can't be part of a number.
    """
    if not re.fullmatch(r"[A-Z]?", prefix) or serial < 0:
        raise ValueError(f"no number for prefix {prefix!r} and serial {serial}")
    digits = f"{day:%y%m}{serial:0{_SERIAL_DIGITS}d}"
    return _grouped(prefix, digits + str(_check_digit(prefix, digits)))


def parse(text: str, *, field: str | None = None) -> str:
    """The canonical form of a number as somebody wrote or keyed it: full-width, spaced, dashed or bare.

    Raises Fault("case_number_invalid") about `field` when its form or its check digit is wrong.
    """
    written = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text[:MAX_LENGTH])).upper()
    match = _SHAPE.fullmatch(written)
    if match is None or len(text) > MAX_LENGTH:
        raise Fault("case_number_invalid", field=field, number=text[:MAX_LENGTH])
    prefix, digits = match[1], written[len(match[1]) :]
    if _check_digit(prefix, digits) != 0:
        raise Fault("case_number_invalid", field=field, number=text)
    return _grouped(prefix, digits)


def _check_digit(prefix: str, digits: str) -> int:
    """Damm's digit: 0 for digits that end with their own."""
    interim = (ord(prefix) - ord("A") + 1) % 10 if prefix else 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim


def _grouped(prefix: str, digits: str) -> str:
    return prefix + "-".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))

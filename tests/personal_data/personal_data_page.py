"""docs/personal-data.md: its end is made from the contracts; what it means is written by people."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from bihuan.options.v1 import options_pb2
from fields import PREFIX, written_in
from servicekit.identity.access import AccessRule
from servicekit.testing.contracts import contract_messages, contract_methods

PAGE = Path(__file__).parents[2] / "docs" / "personal-data.md"
BEGIN = "<!-- From here on the page is made by `make personal-data`. -->"
KINDS = {
    "personal": "who the customer is: sealed, and in no event",
    "about_customer": "about the customer: sealed",
    "about_work": "about something else: in clear",
    "about_staff": "name of staff or partner: in clear",
}


def current() -> str:
    """The whole page as it should be now."""
    return renewed(PAGE.read_text(encoding="utf-8"))


def renewed(page: str) -> str:
    """The page with its end as the contracts have it."""
    return "\n".join([page.partition(BEGIN)[0].rstrip(), "", BEGIN, *_made(), ""])


def _made() -> Iterator[str]:
    yield "## What people write, and who"
    yield ""
    yield "| call | written by | text | what it is |"
    yield "|---|---|---|---|"
    for method in contract_methods():
        written = list(written_in(method.input_type))
        for kind, fields in groupby(sorted(written, key=lambda each: each[1]), lambda each: each[1]):
            names = ", ".join(f"`{path}`" for path, _ in fields)
            roles = ", ".join(sorted(AccessRule.of(method).roles))
            yield f"| {_short(method.containing_service.full_name)}.{method.name} | {roles} | {names} | {KINDS[kind]} |"
    yield ""
    yield "## What travels on the bus"
    yield ""
    yield "Events and commands that are not named here carry nothing that anybody wrote."
    yield ""
    yield "| event or command | text | what it is |"
    yield "|---|---|---|"
    for message in contract_messages():
        if message.GetOptions().HasExtension(options_pb2.travels):
            written = sorted(written_in(message), key=lambda each: each[1])
            for kind, fields in groupby(written, lambda each: each[1]):
                names = ", ".join(f"`{path}`" for path, _ in fields)
                yield f"| {_short(message.full_name)} | {names} | {KINDS[kind]} |"


def _short(full_name: str) -> str:
    return full_name.removeprefix(PREFIX).replace(".v1.", ".")

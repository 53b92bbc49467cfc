"""The bodies of HTTP requests: how much is taken, and as what they are read.

JSON is read strictly: what two readers could take for two different things is refused.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Final

from pydantic_core import from_json
from servicekit.errors import Fault
from starlette.requests import ClientDisconnect, Request

from gateway.transcoding.scalars import printable

# Enough for the largest body over a bad line; whoever sends slower on purpose holds nothing for long.
BODY_SECONDS: Final = 30.0
_PLACE: Final = re.compile(r"line ([0-9]+) column ([0-9]+)")
_NAME_ENDS: Final = re.compile(rb'"[ \t\r\n]*:')
_JSON_TYPE: Final = re.compile(
    r"application/(?:[a-z0-9.-]+\+)?json\s*(?:;\s*charset\s*=\s*\"?utf-?8\"?\s*)?", re.IGNORECASE
)


async def body_of(request: Request, most_bytes: int) -> bytes:
    """The request's body.

    Raises Fault payload_too_large before more than `most_bytes` are held, content_encoding_refused for one that is
    compressed, and body_incomplete when it does not come in full within BODY_SECONDS.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Fault("content_encoding_refused")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise Fault("payload_too_large", limit=most_bytes)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > most_bytes:
                    raise Fault("payload_too_large", limit=most_bytes)
                parts.append(part)
    except (TimeoutError, ClientDisconnect):
        raise Fault("body_incomplete") from None
    return b"".join(parts)


def require_json(request: Request) -> None:
    """Raises Fault unsupported_media_type unless the body is declared as JSON in UTF-8."""
    if not _JSON_TYPE.fullmatch(request.headers.get("content-type", "").strip()):
        raise Fault("unsupported_media_type")


def json_of(body: bytes) -> Any:
    """The JSON value in `body`.

    Raises Fault malformed_json with the place, also for invalid UTF-8 and deep nesting, and field_repeated for an
    object that names a field twice: the library would take the last one in silence.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as wrong:
        place = _PLACE.search(str(wrong))
        line, column = place.groups() if place else ("", "")
        raise Fault("malformed_json", line=line, column=column) from wrong
    # Every name ends with a quotation mark and a colon. Where there are as many of these as names were read, none came
    # twice; only such a pair inside a text makes a second look necessary, at three times the cost of the first.
    if len(_NAME_ENDS.findall(body)) != _names_in(value):
        _refuse_repeated_names(body)
    return value


def _names_in(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_names_in(inner) for inner in value.values() if not isinstance(inner, str))
    if isinstance(value, list):
        return sum(map(_names_in, value))
    return 0


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object as they were written, with every repetition."""


def _refuse_repeated_names(body: bytes) -> None:
    # Numbers stay texts: Python refuses to read very long ones, and nobody looks at them here.
    written = json.loads(body, object_pairs_hook=_Members, parse_int=str, parse_float=str)
    repeated = _repeated_name(written, "")
    if repeated is not None:
        raise Fault("field_repeated", field=printable(repeated))


def _repeated_name(written: Any, path: str) -> str | None:
    """The path of the first name that its object has twice."""
    if isinstance(written, _Members):
        seen: set[str] = set()
        for name, inner in written:
            place = f"{path}.{name}" if path else name
            if name in seen:
                return place
            seen.add(name)
            if (found := _repeated_name(inner, place)) is not None:
                return found
    elif isinstance(written, list):
        for index, inner in enumerate(written):
            if (found := _repeated_name(inner, f"{path}[{index}]")) is not None:
                return found
    return None

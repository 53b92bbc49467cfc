"""The caller's number out of what voice platforms tell: `tel:` and `sip:` addresses, or the bare number. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

# RFC 3966 §5.1.1: what people put between digits.
_SEPARATORS: Final = re.compile(r"[-.() ]")
_NUMBER: Final = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
_SCHEME: Final = re.compile(r"^(?:tel|sips?):", re.IGNORECASE)


def caller_number(told: str) -> str:
    """Digits with an optional plus; empty when the number is withheld (RFC 3323 §4.1.1.3) or no number at all."""
    address = _SCHEME.sub("", told.strip())
    # The user part of a SIP address, without the parameters that may follow a number.
    user = address.partition("@")[0].partition(";")[0]
    number = _SEPARATORS.sub("", unquote(user))
    return number if _NUMBER.fullmatch(number) else ""

"""What a text may be made of, wherever people's texts come in."""

from __future__ import annotations

import re
from typing import Final

# Control characters that are no white space, and the overrides that show what follows backwards. PostgreSQL can't store
# NUL, ESC commands the terminal of whoever reads the text, and a name shown backwards is another name.
_UNWANTED: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e]")


def is_plain(text: str) -> bool:
    """Whether the text can be stored, and shown to people as it is."""
    return text.isprintable() or _UNWANTED.search(text) is None


def says_something(text: str) -> bool:
    """Whether there is anything to see in the text: spaces and characters without width say nothing."""
    # Nearly every text begins with a letter.
    return text[:1].isalnum() or any(character.isprintable() and character != " " for character in text)

"""The outer form of a GIFT file: lines, comments, escapes, and blocks between empty lines."""

from collections.abc import Iterator
from dataclasses import dataclass

from servicekit.errors import Fault

CATEGORY = "$CATEGORY:"
COMMENT = "//"

# Escaped characters stand aside as private-use characters while the unescaped ones are looked for.
_ESCAPED = {"\\": "\ue000", "~": "\ue001", "=": "\ue002", "#": "\ue003", "{": "\ue004", "}": "\ue005", ":": "\ue006"}
_ESCAPED |= {"n": "\ue007", "%": "\ue008", ">": "\ue009", "[": "\ue00a", "]": "\ue00b"}
_PLAIN = str.maketrans({aside: "\n" if plain == "n" else plain for plain, aside in _ESCAPED.items()})


@dataclass(frozen=True, slots=True)
class Block:
    """One question as it stands in the file, its escaped characters set aside."""

    text: str
    category: str
    # Line in the file of each line of `text`: comments in between are gone.
    lines: tuple[int, ...]

    def line_at(self, offset: int) -> int:
        """The line of the file in which the character at `offset` of the text stands."""
        return self.lines[min(self.text.count("\n", 0, max(offset, 0)), len(self.lines) - 1)]

    def fault(self, code: str, offset: int = 0) -> Fault:
        """The refusal of the file because of what stands at `offset`."""
        return Fault(code, field="gift", line=self.line_at(offset))


def find_blocks(gift: str) -> Iterator[Block]:
    """The blocks of a file in order, each with the category that holds for it."""
    category = ""
    held: list[tuple[int, str]] = []
    for number, line in enumerate([*gift.removeprefix("\ufeff").splitlines(), ""], start=1):
        bare = line.strip()
        if bare.startswith(COMMENT):
            continue
        if bare and not bare.startswith(CATEGORY):
            held.append((number, set_escapes_aside(line)))
            continue
        if held:
            yield Block("\n".join(text for _, text in held), category, tuple(place for place, _ in held))
            held = []
        if bare:
            category = bare.removeprefix(CATEGORY).strip()


def set_escapes_aside(text: str) -> str:
    """Every `\\x` that GIFT knows becomes one character that nothing else looks for; other backslashes stay."""
    parts: list[str] = []
    characters = iter(text)
    for character in characters:
        if character != "\\":
            parts.append(character)
            continue
        following = next(characters, "")
        parts.append(_ESCAPED.get(following, character + following))
    return "".join(parts)


def plain(text: str) -> str:
    """The text as people read it: escapes resolved, white space at both ends gone."""
    return text.strip().translate(_PLAIN)

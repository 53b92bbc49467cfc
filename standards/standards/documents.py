"""YAML files that remember on which line everything stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]


class StandardsError(Exception):
    """The standards can't be used. Says where and why: `clocks.yaml:12: …`."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Document:
    """The content of one file. Every mapping key is text, as names and codes are."""

    file: str
    content: Any
    lines: dict[Place, int]
    checksum: bytes

    def line_of(self, place: Place) -> int:
        """The line of a place in the content, or of the nearest thing around it that exists."""
        for length in range(len(place), 0, -1):
            if line := self.lines.get(place[:length]):
                return line
        return 1

    def error(self, place: Place, reason: str) -> StandardsError:
        named = ".".join(str(part) for part in place)
        return StandardsError(self.file, self.line_of(place), f"{named}: {reason}" if named else reason)


def read_document(path: Path) -> Document:
    """Reads one file. Raises StandardsError when it is missing, not YAML, or says something twice."""
    try:
        raw = path.read_bytes()
        root = yaml.compose(raw.decode(), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise StandardsError(path.name, 1, f"the file is missing in {path.parent}") from None
    except UnicodeDecodeError as error:
        raise StandardsError(path.name, 1, f"not UTF-8: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StandardsError(path.name, line, f"not YAML: {error.problem}") from error
    lines: dict[Place, int] = {}
    return Document(path.name, _content(root, (), path.name, lines), lines, hashlib.sha256(raw).digest())


def _content(node: yaml.Node | None, place: Place, file: str, lines: dict[Place, int]) -> Any:
    """The node as plain values. Fills `lines` with the first line of each place."""
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in mapping:
                raise StandardsError(file, key_node.start_mark.line + 1, f"{key} is there twice")
            lines[*place, key] = key_node.start_mark.line + 1
            mapping[key] = _content(value_node, (*place, key), file, lines)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[*place, index] = item.start_mark.line + 1
        return [_content(item, (*place, index), file, lines) for index, item in enumerate(node.value)]
    return None if node is None else yaml.SafeLoader("").construct_object(node)

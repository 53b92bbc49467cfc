"""YAML files that remember on which line everything stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

Place = tuple[str | int, ...]

# Several times as fast where PyYAML was built with libyaml; both are safe.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        root = yaml.compose(raw.decode(), Loader=_Loader)
        lines: dict[Place, int] = {}
        content = _Content(path.name, lines).of(root, ())
    except FileNotFoundError:
        raise StandardsError(path.name, 1, f"the file is missing in {path.parent}") from None
    except UnicodeDecodeError as error:
        raise StandardsError(path.name, 1, f"not UTF-8: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        raise StandardsError(path.name, mark.line + 1 if mark else 1, f"not YAML: {reason}") from error
    return Document(path.name, content, lines, hashlib.sha256(raw).digest())


class _Content:
    """Turns nodes into plain values, and notes the first line of each place."""

    def __init__(self, file: str, lines: dict[Place, int]) -> None:
        self._file = file
        self._lines = lines
        self._scalars = SafeConstructor()

    def of(self, node: yaml.Node | None, place: Place) -> Any:
        match node:
            case yaml.MappingNode():
                return self._mapping(node, place)
            case yaml.SequenceNode():
                for index, item in enumerate(node.value):
                    self._lines[*place, index] = item.start_mark.line + 1
                return [self.of(item, (*place, index)) for index, item in enumerate(node.value)]
            case None:
                return None
        return self._scalars.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in mapping:
                raise StandardsError(self._file, line, f"{key} is there twice")
            self._lines[*place, key] = line
            mapping[key] = self.of(value_node, (*place, key))
        return mapping

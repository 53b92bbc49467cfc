"""The comments in the contracts, which are the API's descriptions. They travel in the descriptor image."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

# Field numbers in descriptor.proto, of which the paths in SourceCodeInfo are made.
_FILE_PARTS: Final = {4: "message_type", 5: "enum_type", 6: "service"}
_MESSAGE_PARTS: Final = {2: "field", 3: "nested_type", 4: "enum_type"}
_ENUM_PARTS: Final = {2: "value"}
_SERVICE_PARTS: Final = {2: "method"}
_PARTS: Final[Mapping[str, Mapping[int, str]]] = {
    "FileDescriptorProto": _FILE_PARTS,
    "DescriptorProto": _MESSAGE_PARTS,
    "EnumDescriptorProto": _ENUM_PARTS,
    "ServiceDescriptorProto": _SERVICE_PARTS,
}
_SUCH_AS: Final = re.compile(r"[Ss]uch as `([^`]+)`")


class Comments:
    """Comments by the full name of what they stand before, such as `bihuan.intake.v1.Case.version`."""

    def __init__(self, image: FileDescriptorSet) -> None:
        self._texts: dict[str, str] = {}
        for file in image.file:
            self._texts.update(_comments_of(file))

    @classmethod
    def load(cls) -> Comments:
        """From the image that the contracts' build leaves beside the generated code."""
        return cls(FileDescriptorSet.FromString(files("bihuan").joinpath("contracts.binpb").read_bytes()))

    def of(self, full_name: str) -> str:
        """The comment, as one paragraph; empty when there is none."""
        return self._texts.get(full_name, "")

    def example(self, full_name: str) -> str:
        """The value that the comment gives as an example ("such as `app`"); empty when it gives none."""
        found = _SUCH_AS.search(self.of(full_name))
        return found[1] if found else ""


def _comments_of(file: FileDescriptorProto) -> Iterable[tuple[str, str]]:
    for location in file.source_code_info.location:
        text = " ".join(location.leading_comments.split())
        name = _name_at(file, location.path) if text else ""
        if name:
            yield f"{file.package}.{name}", text


def _name_at(file: FileDescriptorProto, path: Iterable[int]) -> str:
    """The name, from the package on, of what a path leads to; empty for options and the like, which have no name."""
    here: Any = file
    names: list[str] = []
    steps = iter(path)
    for part in steps:
        parts = _PARTS.get(type(here).__name__, {})
        index = next(steps, None)
        if part not in parts or index is None:
            return ""
        here = getattr(here, parts[part])[index]
        names.append(here.name)
    return ".".join(names)

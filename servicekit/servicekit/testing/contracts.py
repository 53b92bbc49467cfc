"""All contracts of the platform, for tests that ask something of every one of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import bihuan
from google.protobuf.descriptor import Descriptor, MethodDescriptor


def contract_modules() -> Iterator[ModuleType]:
    """Every generated module of messages and services, by path."""
    folder = Path(bihuan.__file__).parent
    for file in sorted(folder.rglob("*_pb2.py")):
        yield importlib.import_module(".".join(("bihuan", *file.relative_to(folder).with_suffix("").parts)))


def contract_messages() -> Iterator[Descriptor]:
    """Every message that stands by itself."""
    for module in contract_modules():
        yield from module.DESCRIPTOR.message_types_by_name.values()


def contract_methods() -> Iterator[MethodDescriptor]:
    """Every call of every service."""
    for module in contract_modules():
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from service.methods

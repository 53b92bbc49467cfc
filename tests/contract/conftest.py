"""All contracts of the platform, as their descriptors say."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import bihuan
import pytest
from google.protobuf.descriptor import Descriptor, FileDescriptor, MethodDescriptor


def contract_modules() -> Iterator[ModuleType]:
    """Every generated module of messages and services."""
    folder = Path(bihuan.__file__).parent
    for file in sorted(folder.rglob("*_pb2.py")):
        yield importlib.import_module(".".join(("bihuan", *file.relative_to(folder).with_suffix("").parts)))


@pytest.fixture(scope="session")
def messages() -> list[Descriptor]:
    """Every message that stands by itself, by full name."""
    return [message for module in contract_modules() for message in module.DESCRIPTOR.message_types_by_name.values()]


@pytest.fixture(scope="session")
def methods() -> list[MethodDescriptor]:
    """Every call of every service."""
    return [
        method
        for module in contract_modules()
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


@pytest.fixture(scope="session")
def files() -> list[FileDescriptor]:
    """Every file of the contracts."""
    return [module.DESCRIPTOR for module in contract_modules()]

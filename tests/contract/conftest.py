"""All contracts of the platform, as their descriptors say."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import Descriptor, FileDescriptor, MethodDescriptor
from servicekit.testing.contracts import contract_messages, contract_methods, contract_modules


@pytest.fixture(scope="session")
def messages() -> list[Descriptor]:
    """Every message that stands by itself."""
    return list(contract_messages())


@pytest.fixture(scope="session")
def methods() -> list[MethodDescriptor]:
    """Every call of every service."""
    return list(contract_methods())


@pytest.fixture(scope="session")
def files() -> list[FileDescriptor]:
    """Every file of the contracts."""
    return [module.DESCRIPTOR for module in contract_modules()]

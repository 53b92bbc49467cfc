"""Dispatch's own database for its tests."""

from pathlib import Path

import pytest


@pytest.fixture
def service_name() -> str:
    return "dispatch"


@pytest.fixture
def migrations() -> Path:
    return Path(__file__).parents[1] / "migrations"

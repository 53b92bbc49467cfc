"""The rendered overlays, once for the run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

# `deploy` is no distribution: it lies beside the code that it packs.
sys.path.insert(0, str(Path(__file__).parents[2]))

from deploy.checks.render import render


@pytest.fixture(scope="session")
def overlays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Objects by overlay. The secrets that were generated for dev are in its objects."""
    return {name: render(name, tmp_path_factory.mktemp(name)) for name in ("dev", "prod")}

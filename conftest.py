"""Fixtures, settings and order for every test of the tree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

pytest_plugins = ["servicekit.testing.plugin"]

# A busy machine must not fail a property; pytest's own timeout still bounds each test.
settings.register_profile("bihuan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bihuan")

# structlog's own choice draws every traceback with all of its variables, at a fifth of a second each.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """What a test runs in this process may say how it logs; the tests after it are other programs."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole platforms first, then what is small: at the end no worker is left alone with something long."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, float]:
    if item.get_closest_marker("e2e") is None:
        return 2, 0
    # The demo brings engineers of its own for every place, who would take the work of the stories; the fuzzer changes
    # whatever it finds.
    if item.path.name in {"test_demo.py", "test_fuzzing.py"}:
        return 1, 0
    allowed = item.get_closest_marker("timeout")
    return 0, -allowed.args[0] if allowed else 0

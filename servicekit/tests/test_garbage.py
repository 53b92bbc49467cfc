"""The garbage collector of a process that serves."""

import gc
from collections.abc import Iterator

import pytest
from servicekit.garbage import MOST_NEW_OBJECTS, collect_rarely


@pytest.fixture
def as_before() -> Iterator[tuple[int, int, int]]:
    thresholds = gc.get_threshold()
    yield thresholds
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_built_is_left_out_and_what_comes_is_looked_at_rarely(as_before: tuple[int, int, int]) -> None:
    built: list[object] = [[]]
    assert any(known is built for known in gc.get_objects())
    collect_rarely()
    assert not any(known is built for known in gc.get_objects())
    assert gc.get_threshold() == (MOST_NEW_OBJECTS, *as_before[1:])

"""Slots follow each other within shop hours, and only those within reach can be held (DSP-05)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from dispatch.policy import Policy
from dispatch.slots.windows import bookable_windows, require_bookable
from hypothesis import given, settings
from hypothesis import strategies as st
from servicekit.errors import Fault

from standards import load

POLICY = Policy.of(load()).slots
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # 12:00 in China
moments = st.integers(0, 700 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))


def test_dsp_05_a_day_has_four_slots_of_two_hours():
    first_day = [str(window) for window in bookable_windows(NOON, POLICY)][:5]
    assert first_day == [
        "2026-03-02 13:00–15:00",
        "2026-03-02 15:00–17:00",
        "2026-03-03 09:00–11:00",
        "2026-03-03 11:00–13:00",
        "2026-03-03 13:00–15:00",
    ]


@settings(max_examples=50, deadline=None)
@given(moments)
def test_dsp_05_every_slot_that_is_offered_can_be_held(now):
    windows = list(bookable_windows(now, POLICY))
    assert windows == sorted(windows)
    assert all(before.end <= after.start for before, after in pairwise(windows))
    assert all(require_bookable(window.start, now, POLICY) == window for window in windows)
    assert all(window.start - now >= POLICY.lead for window in windows)


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (timedelta(minutes=59), "slot_out_of_reach"),
        (timedelta(hours=-1), "slot_out_of_reach"),
        (timedelta(days=15), "slot_out_of_reach"),
        (timedelta(hours=2), "slot_unknown"),
    ],
)
def test_what_is_no_slot_within_reach_is_refused(after, code):
    with pytest.raises(Fault) as refused:
        require_bookable(NOON + after, NOON, POLICY)
    assert refused.value.code == code

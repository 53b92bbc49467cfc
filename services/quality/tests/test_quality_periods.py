"""Periods are those of China (QLT-02)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quality.figures.periods import period_at, read_period
from servicekit.errors import Fault
from standards.indicators import PERIOD_KINDS

MOMENTS = st.integers(946_684_800, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(MOMENTS, st.sampled_from(PERIOD_KINDS))
def test_a_moment_lies_in_its_period_and_the_name_leads_back_to_it(moment, kind):
    period = period_at(kind, moment)
    assert period.begins <= moment < period.ends
    assert read_period(period.name) == period
    assert period_at(kind, period.ends).begins == period.ends, "the next one begins where it ends"


def test_a_day_begins_at_midnight_in_china():
    assert period_at("day", datetime(2026, 10, 31, 16, tzinfo=UTC)).name == "2026-11-01"
    assert period_at("month", datetime(2026, 10, 31, 15, 59, tzinfo=UTC)).name == "2026-10"
    assert read_period("2026-Q4").begins == datetime(2026, 9, 30, 16, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "2026-13", "2026-11-31", "2026-W54", "2026-Q5", "last month", "0000", "20261122"])
def test_what_is_no_period_is_refused(name):
    with pytest.raises(Fault) as refused:
        read_period(name)
    assert refused.value.code == "period_invalid"

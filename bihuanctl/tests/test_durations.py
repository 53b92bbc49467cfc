"""Lengths of time as people type them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bihuanctl.durations import Duration, parse_duration, spoken
from bihuanctl.refusal import Refusal
from bihuanctl.texts import Texts
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("1.5h", timedelta(minutes=90)),
        ("1w", timedelta(days=7)),
        ("30s", timedelta(seconds=30)),
        ("PT2H", timedelta(hours=2)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("P2W", timedelta(days=14)),
        (" 5m ", timedelta(minutes=5)),
    ],
)
def test_fixed_lengths(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == Duration(fixed=expected)


def test_working_days_depend_on_the_calendar() -> None:
    assert parse_duration("10wd") == Duration(working_days=10)


@pytest.mark.parametrize(
    "text", ["", "h", "2", "-2h", "2 h", "0s", "0wd", "PT0S", "P", "PT", "P1M", "1y", "2hours", "9" * 40 + "d"]
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_duration(text)
    assert refused.value.code == "duration_unreadable"


@given(st.text(max_size=12))
def test_no_text_breaks_the_reading(text: str) -> None:
    try:
        duration = parse_duration(text)
    except Refusal:
        return
    assert duration.fixed > timedelta() or duration.working_days > 0


@pytest.mark.parametrize(
    ("length", "english", "chinese"),
    [
        (timedelta(), "0s", "0 秒"),
        (timedelta(milliseconds=85), "85ms", "85 毫秒"),
        (timedelta(seconds=5), "5s", "5 秒"),
        (timedelta(milliseconds=1240), "1.2s", "1.2 秒"),
        (timedelta(minutes=12, seconds=5), "12m 5s", "12 分 5 秒"),
        (timedelta(days=3, hours=4, minutes=59), "3d 4h", "3 天 4 小时"),
        (timedelta(hours=24), "1d", "1 天"),
    ],
)
def test_lengths_are_spoken_with_two_units(length: timedelta, english: str, chinese: str) -> None:
    assert spoken(length, Texts("en")) == english
    assert spoken(length, Texts("zh-CN")) == chinese

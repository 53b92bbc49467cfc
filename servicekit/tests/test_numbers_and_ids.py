"""Case numbers that people can read and speak, and identifiers ordered in time."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from servicekit.casenumbers import issue, parse, serials
from servicekit.errors import Fault
from servicekit.ids import uuid7, uuid7_floor
from sqlalchemy import text

numbers = st.builds(
    issue,
    st.sampled_from(["", "W", "R"]),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.integers(0, 10**9),
)


def digit_places(number: str) -> list[int]:
    return [place for place, sign in enumerate(number) if sign.isdigit()]


def test_form_of_a_number():
    number = issue("", date(2026, 11, 22), 1)
    assert number.startswith("2611-0000-001")
    assert len(number) == 14
    assert issue("W", date(2026, 11, 22), 1).startswith("W2611-0000-001")


@given(numbers)
def test_an_issued_number_parses_to_itself(number):
    assert parse(number) == number


@given(numbers, st.sampled_from(["", " ", "-", "—", "－", ". ", "\u3000"]), st.booleans())
def test_the_way_it_is_written_does_not_matter(number, separator, full_width):
    written = number.lower().replace("-", separator)
    if full_width:
        written = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in written)
    assert parse(f" {written}") == number


@given(numbers, st.data())
def test_every_single_wrong_digit_is_found(number, data):
    place = data.draw(st.sampled_from(digit_places(number)))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    with pytest.raises(Fault, match="case_number_invalid"):
        parse(number[:place] + wrong + number[place + 1 :])


@given(numbers, st.data())
def test_every_swap_of_neighbours_is_found(number, data):
    neighbours = [(left, right) for left, right in pairwise(digit_places(number)) if number[left] != number[right]]
    assume(neighbours)
    left, right = data.draw(st.sampled_from(neighbours))
    signs = list(number)
    signs[left], signs[right] = signs[right], signs[left]
    with pytest.raises(Fault, match="case_number_invalid"):
        parse("".join(signs))


@given(numbers)
def test_a_number_of_one_thing_is_none_of_another(number):
    bare = number.lstrip("WR")
    for prefix in {"", "W", "R"} - {number.removesuffix(bare)}:
        with pytest.raises(Fault):
            parse(prefix + bare)


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_refused_with_a_fault(written):
    with suppress(Fault):
        number = parse(written)
        assert parse(number) == number


@pytest.mark.parametrize("prefix", ["WW", "w", "1", "报"])
def test_only_a_capital_letter_can_be_a_prefix(prefix):
    with pytest.raises(ValueError, match="prefix"):
        issue(prefix, date(2026, 1, 1), 1)


async def test_serials_come_from_a_sequence_and_never_twice(database):
    async with database.transaction("make") as tx:
        await tx.execute(text("CREATE SEQUENCE case_serials"))
    async with database.transaction("take") as tx:
        assert await serials(tx, "case_serials", 3) == [1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        async with database.transaction("take and fail") as tx:
            assert await serials(tx, "case_serials", 1) == [4]
            raise ZeroDivisionError
    async with database.transaction("take") as tx:
        assert await serials(tx, "case_serials", 2) == [5, 6]


def test_uuid7_is_of_version_7_and_of_now():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_uuid7_only_grows_even_within_a_tick_and_over_threads():
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(set(made))
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(lambda _: [uuid7() for _ in range(2_000)], range(4)))
    assert all(run == sorted(run) for run in runs)
    assert len({one for run in runs for one in run}) == 8_000


def test_uuid7_floor_parts_what_was_made_before_from_what_was_made_after():
    earlier = uuid7()
    time.sleep(0.002)
    floor = uuid7_floor(datetime.now(UTC))
    assert earlier < floor < uuid7()

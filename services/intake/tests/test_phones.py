"""One number is one customer, however it is written (INT-01)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake.customers.phones import canonical_phone, spellings

MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
# Area code and subscriber's number.
FIXED = st.from_regex(r"(10|2[0-9]|[3-9][0-9]{2})[1-9][0-9]{6,7}", fullmatch=True)
ANY = st.from_regex(r"\+?[0-9]{5,15}", fullmatch=True)


@given(MOBILE)
def test_int01_a_mobile_number_has_one_form(number: str) -> None:
    written = {number, f"86{number}", f"+86{number}", f"0086{number}"}
    assert {canonical_phone(form) for form in written} == {f"86{number}"}


@given(FIXED)
def test_int01_a_fixed_line_has_one_form_with_and_without_its_trunk_zero(number: str) -> None:
    written = {f"0{number}", f"86{number}", f"+86{number}", f"+860{number}", f"0086{number}"}
    assert {canonical_phone(form) for form in written} == {f"86{number}"}


@given(MOBILE | FIXED.map("0{}".format), MOBILE | FIXED.map("0{}".format))
def test_int01_different_numbers_stay_different(one: str, other: str) -> None:
    assert (canonical_phone(one) == canonical_phone(other)) == (one == other)


@given(ANY)
def test_int01_a_customer_is_found_as_they_were_registered_before(phone: str) -> None:
    """Earlier the digits were indexed as they were written, without a plus; a trunk 0 after 86 is a slip."""
    found = spellings(phone)
    assert found[0] == canonical_phone(phone)
    assert len(set(found)) == len(found)
    assert phone.removeprefix("+") in found or phone.startswith("00") or "860" in phone


@pytest.mark.parametrize(
    ("phone", "canonical"),
    [("10086", "10086"), ("86123456", "86123456"), ("+14155552671", "14155552671"), ("0014155552671", "14155552671")],
)
def test_what_is_no_chinese_number_keeps_its_digits(phone: str, canonical: str) -> None:
    assert spellings(phone) == (canonical,)

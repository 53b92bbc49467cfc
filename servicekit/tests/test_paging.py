"""Page tokens come back whole, or are refused (GWY-01)."""

from __future__ import annotations

import base64
from datetime import UTC

import pytest
from bihuan.intake.v1 import cases_pb2
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault
from servicekit.rpc import paging
from servicekit.rpc.paging import PageToken, narrowed

parts = st.one_of(
    st.text(max_size=40),
    st.integers(-(2**63), 2**63 - 1),
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)),
)
keys = st.lists(parts, min_size=1, max_size=3).map(tuple)


@given(keys)
def test_a_key_comes_back_with_its_types(key: tuple[object, ...]) -> None:
    assert PageToken.decode("cases", PageToken.encode("cases", *key)) == key


@given(keys, st.data())
def test_a_changed_token_is_refused(key: tuple[object, ...], data: st.DataObject) -> None:
    token = PageToken.encode("cases", *key)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_!").filter(lambda other: other != token[place]))
    for changed in (token[:place] + letter + token[place + 1 :], token[:place]):
        try:
            back = PageToken.decode("cases", changed)
        except Fault as refused:
            assert refused.code == "page_token_invalid"  # noqa: PT017 -- both ends are right
        else:
            # The last letter carries bits that mean nothing; an empty token is the first page.
            assert back in (key, None)


@given(st.text(max_size=60))
def test_garbage_is_refused(garbage: str) -> None:
    if garbage:
        with pytest.raises(Fault, match="page_token_invalid"):
            PageToken.decode("cases", garbage)


def test_a_token_of_another_list_is_refused_and_none_means_the_first_page() -> None:
    with pytest.raises(Fault, match="page_token_invalid"):
        PageToken.decode("records", PageToken.encode("cases", 1))
    assert PageToken.decode("cases", "") is None


def test_a_token_of_the_same_list_with_other_filters_is_refused() -> None:
    first = cases_pb2.ListCasesRequest(kind="inquiry", page_size=2)
    token = PageToken.encode(narrowed("cases", first), 1)
    next_page = cases_pb2.ListCasesRequest(kind="inquiry", page_size=50, page_token=token)
    assert PageToken.decode(narrowed("cases", next_page), token) == (1,)
    for other in ({}, {"kind": "complaint"}, {"kind": "inquiry", "region": "cn.gd"}):
        with pytest.raises(Fault, match="page_token_invalid"):
            PageToken.decode(narrowed("cases", cases_pb2.ListCasesRequest(**other, page_token=token)), token)


@pytest.mark.parametrize("content", [b"1", b"{}x", b'[{"u": "no uuid"}]', b'[{"x": "1"}]', b"[{}]", b"\xff"])
def test_a_token_made_by_hand_is_refused(content: bytes) -> None:
    """The check sum keeps nobody out who knows how it is made."""
    token = base64.urlsafe_b64encode(paging._check("cases", content) + content).rstrip(b"=").decode()
    with pytest.raises(Fault, match="page_token_invalid"):
        PageToken.decode("cases", token)

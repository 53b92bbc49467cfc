"""How JSON bodies are read: strictly, so that no two readers take one body for two things (bad input; GWY-01)."""

from __future__ import annotations

import json

import pytest
from gateway.transcoding.bodies import json_of
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault

NAMES = st.sampled_from(["a", "b", ":", "a:b", "", "\u2028", "\x22", "\\"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.just("20:30"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)


@given(VALUES, st.sampled_from([None, 1]))
def test_any_json_is_read_as_python_reads_it(value, indent):
    assert json_of(json.dumps(value, indent=indent).encode()) == value
    assert json_of(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"subject": "a", "subject": "a"}', "subject"),
        ('{"subject": "20:30", "subject": "b"}', "subject"),
        ('{"subject": "a", "\\u0073ubject": "b"}', "subject"),
        ('{"caller": {"phone": "1", "name": ":", "phone": "2"}}', "caller.phone"),
        ('{"report": {"parts": [{}, {"part": 1, "part": 2}]}}', "report.parts[1].part"),
        ('{"a": {"b": 1}, "a": {"c": 1, "c": 2}}', "a"),
        ('{"": 1, "": 2}', '""'),
        ('[{"a": [[{"b": 1, "b": 1}]]}]', "[0].a[0][0].b"),
        ('{"a\\u0000": 1, "a\\u0000": 1}', "a\ufffd"),
        ('{"a": ' + "1" * 4300 + ', "a": 1}', "a"),
    ],
)
def test_a_field_that_is_given_twice_is_named(body, field):
    with pytest.raises(Fault) as refused:
        json_of(body.encode())
    assert (refused.value.code, refused.value.field) == ("field_repeated", field)


@given(st.recursive(st.just("1"), lambda inner: st.builds('{{"a": {}, "b": [{}]}}'.format, inner, inner), max_leaves=8))
def test_a_repetition_is_found_at_any_depth(body):
    with pytest.raises(Fault, match="field_repeated"):
        json_of(f'{{"x": [{body}, {{"y": {body}, "y": {body}}}]}}'.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00\\ud800"}',
        b'{"a": "\x01"}',
        b'{"a": 1,}',
        b"{'a': 1}",
        b"{} {}",
        b"// a\n{}",
        b'{"a": ' + b"1" * 5000 + b"}",
        b"[" * 300 + b"]" * 300,
        "\ufeff{}".encode(),
        '{"a": "宽带"}'.encode("gbk"),
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-le"),
    ],
)
def test_what_is_no_json_in_utf_8_is_told_with_its_place(body):
    with pytest.raises(Fault) as refused:
        json_of(body)
    assert refused.value.code == "malformed_json"
    assert refused.value.params["line"].isdecimal()
    assert refused.value.params["column"].isdecimal()

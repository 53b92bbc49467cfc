"""People's CSV files: what can be played is played, what can't is named with its line and the reason (issue part 8)."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

import pytest
from bihuanctl.demo.columns import read_choices, read_requests
from bihuanctl.demo.csvrows import BadRow, read_table
from bihuanctl.demo.personas import personas
from bihuanctl.demo.requests import Request
from bihuanctl.demo.tables import explain
from bihuanctl.refusal import Refusal
from bihuanctl.texts import Texts
from hypothesis import given
from hypothesis import strategies as st
from servicekit.languages import LANGUAGES
from servicekit.plaintext import is_plain

HEADER = "subject,description,date,channel,region,phone"


def read(
    path: Path, content: str | bytes, columns: tuple[str, ...] = (), values: tuple[str, ...] = ()
) -> tuple[list[Request], list[BadRow]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_requests(read_table(path), read_choices(columns, values), personas(), Random(1), "en")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "requests.csv"


def test_a_row_becomes_a_request(file: Path) -> None:
    (request,), bad = read(file, f"{HEADER}\n断网了,家里没网,2026-11-02,热线,天河区,138 0013-8001\n")
    assert bad == []
    assert (request.subject, request.description) == ("断网了", "家里没网")
    assert (request.channel, request.region, request.phone) == ("hotline", "cn.gd.gz.tianhe", "13800138001")
    assert request.language == "zh-CN"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_chinese_files_are_read_in_their_encoding(file: Path, encoding: str) -> None:
    requests, bad = read(file, "主题,subject\n甲,宽带无法上网\n乙,查询套餐余额\n".encode(encoding))
    assert [request.subject for request in requests] == ["宽带无法上网", "查询套餐余额"]
    assert bad == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",,2026-11-02,app,cn.gd.gz.tianhe,", "empty_text"),
        ("s,d,2026-11-02,app,cn.gd.gz.tianhe", "field_count"),
        ("s,d,2026-11-02,app,cn.gd.gz.tianhe,,extra", "field_count"),
        ("s,d,sometime,app,cn.gd.gz.tianhe,", "date_unreadable"),
        ("s,d,2026-11-02,pigeon,cn.gd.gz.tianhe,", "channel_unknown"),
        ("s,d,2026-11-02,app,Atlantis,", "region_unknown"),
        ("s,d,2026-11-02,app,cn.gd.gz.tianhe,call me", "phone_invalid"),
        (f"{'s' * 201},d,2026-11-02,app,cn.gd.gz.tianhe,", "against_contract"),
        (f"s,{'d' * 10_001},2026-11-02,app,cn.gd.gz.tianhe,", "against_contract"),
        ('"s" x,d,2026-11-02,app,cn.gd.gz.tianhe,', "malformed"),
        ('"s,d,2026-11-02,app,cn.gd.gz.tianhe,', "malformed"),
        ("s\x00,d,2026-11-02,app,cn.gd.gz.tianhe,", "control_character"),
        ("\u202es,d,2026-11-02,app,cn.gd.gz.tianhe,", "control_character"),
        ("\u200b, ,2026-11-02,app,cn.gd.gz.tianhe,", "empty_text"),
        (f"s,{'d' * 200_000},2026-11-02,app,cn.gd.gz.tianhe,", "field_too_long"),
    ],
)
def test_a_bad_row_is_named_and_its_neighbours_are_played(file: Path, row: str, code: str) -> None:
    good = "good,d,2026-11-02,app,cn.gd.gz.tianhe,"
    requests, (bad,) = read(file, f"{HEADER}\n{good}\n{row}\n{good}\n")
    assert (bad.line, bad.code) == (3, code)
    assert len(requests) == 2
    for language in LANGUAGES:
        assert "3" in explain(bad, Texts(language))


def test_bytes_that_are_no_text_are_named(file: Path) -> None:
    requests, (bad,) = read(file, b"subject\ngood\nbad \xff\xfe\ngood\n")
    assert (bad.line, bad.code) == (3, "broken_encoding")
    assert len(requests) == 2


def test_lines_are_counted_through_cells_of_several_lines_and_blank_rows(file: Path) -> None:
    requests, bad = read(file, 'subject,description\n"two\nlines",d\n,\n\nx,y,z\nlast,d\n')
    assert [(row.line, row.code) for row in bad] == [(4, "empty_text"), (6, "field_count")]
    assert [request.subject for request in requests] == ["two\nlines", "last"]


def test_values_are_mapped_and_a_star_stands_for_the_rest(file: Path) -> None:
    content = "Complaint,Via,State\na,Internet,Georgia\nb,Customer Care Call,Ohio\nc,Pigeon,Georgia\n"
    columns = ("subject=Complaint", "channel=Via", "region=State")
    values = ("channel:Pigeon=email", "region:Georgia=cn.sc.cd.wuhou", "region:*=cn.gd.sz.futian")
    requests, bad = read(file, content, columns, values)
    assert bad == []
    assert [request.channel for request in requests] == ["web", "hotline", "email"]
    assert [request.region for request in requests] == ["cn.sc.cd.wuhou", "cn.gd.sz.futian", "cn.sc.cd.wuhou"]


def test_requests_come_in_the_order_in_which_they_were_written(file: Path) -> None:
    content = "subject,date,time\nlate,22-04-2015,3:53:50 PM\nearly,22-04-2015,9:55:47 AM\nnever,,\n"
    requests, bad = read(file, content)
    assert bad == []
    assert [request.subject for request in requests] == ["early", "late", "never"]


@pytest.mark.parametrize(
    ("columns", "values", "code"),
    [
        (("subject=Nothing",), (), "column_unknown"),
        ((), (), "columns_needed"),
        (("subject",), (), "map_unreadable"),
        (("subject=Ticket", "subject=Text"), (), "map_repeated"),
        (("weather=Text",), (), "map_unreadable"),
        ((), ("channel:Internet",), "map_value_unreadable"),
        ((), ("channel:Internet=pigeon",), "map_value_unknown"),
    ],
)
def test_a_wrong_mapping_is_refused(file: Path, columns: tuple[str, ...], values: tuple[str, ...], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(file, "Ticket,Text\n1,a\n", columns, values)
    assert refused.value.code == code
    if code.startswith("column"):
        assert "“Ticket”, “Text”" in refused.value.detail(Texts("en"))


def test_a_file_that_is_not_there_or_empty_is_refused(file: Path) -> None:
    with pytest.raises(Refusal, match="input_unreadable"):
        read_table(file)
    file.write_bytes(b"")
    with pytest.raises(Refusal, match="input_empty"):
        read_table(file)


def test_lines_are_counted_from_the_first_also_where_the_header_has_several(file: Path) -> None:
    requests, (bad,) = read(file, '"subject","description\r\n(in words)"\r\na,b\r\nx\r\n', ("subject=subject",))
    assert [request.subject for request in requests] == ["a"]
    assert (bad.line, bad.code) == (4, "field_count")


def test_a_broken_character_of_utf_16_is_named(file: Path) -> None:
    requests, (bad,) = read(
        file, b"\xff\xfe" + "subject\ngood\n\ud800\ngood\n".encode("utf-16-le", "surrogatepass") + b"x"
    )
    assert (bad.line, bad.code) == (3, "broken_encoding")
    assert len(requests) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04\x14",
        b"subj\x00ect\na\n",
        b"sub\xffject\na\n",
        b"\x1b[2J,subject\n",
        "subject\na\n".encode("utf-16-le"),
    ],
)
def test_a_file_that_is_no_text_is_refused_without_showing_it(file: Path, content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read(file, content)
    assert refused.value.code == "input_no_text"
    assert is_plain(refused.value.detail(Texts("zh-CN")))


def test_a_column_that_is_there_twice_is_not_guessed(file: Path) -> None:
    with pytest.raises(Refusal, match="column_repeated"):
        read(file, "subject,subject\na,b\n")
    requests, _ = read(file, "subject,x,x\na,b,c\n")
    assert [request.subject for request in requests] == ["a"]


def test_a_file_of_very_many_columns_is_told_in_part(file: Path) -> None:
    with pytest.raises(Refusal) as refused:
        read(file, ",".join(f"c{number}" for number in range(100_000)))
    assert refused.value.code == "columns_needed"
    assert len(refused.value.detail(Texts("en"))) < 500


def test_a_phone_number_may_be_written_as_people_do(file: Path) -> None:
    requests, bad = read(
        file, "subject,phone\na,１３８ ００１３－８００１\nb,138\u00a00013 8002\nc,+86 (138) 0013.8003\n"
    )
    assert bad == []
    assert [request.phone for request in requests] == ["13800138001", "13800138002", "+8613800138003"]


def test_a_subject_of_which_nothing_is_seen_is_taken_from_the_description(file: Path) -> None:
    (request,), bad = read(file, 'subject,description\n\u200b,"\u200b\nno network"\n')
    assert (request.subject, bad) == ("no network", [])


@pytest.mark.parametrize("before", ["", "subject,", '"'])
def test_a_first_line_that_is_no_header_is_refused(file: Path, before: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(file, f"{before}{'s' * (csv.field_size_limit() + 1)}\nrow\n")
    assert refused.value.code == "header_unreadable"
    for language in LANGUAGES:
        assert str(file) in refused.value.detail(Texts(language))


@given(st.binary(max_size=400))
def test_whatever_the_bytes_every_row_is_played_or_named(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    requests, bad = read(tmp_path_factory.mktemp("csv") / "any.csv", b"subject,description\n" + raw)
    assert all(request.subject or request.description for request in requests)
    assert all(explain(row, Texts("en")) for row in bad)

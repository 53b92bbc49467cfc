"""Log lines read back, and files that grow, turn and are followed."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from bihuanctl.logs.lines import in_order, parse_line
from bihuanctl.logs.tail import follow, last_lines
from bihuanctl.supervisor.logfiles import rotate_large_logs


def test_our_own_lines_are_taken_apart() -> None:
    entry = {"event": "process_died", "level": "warning", "timestamp": "2026-11-22T05:25:53.768Z", "process": "intake"}
    line = parse_line("supervisor", json.dumps(entry) + "\n")
    assert (line.text, line.level, line.fields) == ("process_died", "warning", {"process": "intake"})
    assert line.rendered().plain == "13:25:53.768 UTC+8 supervisor process_died process=intake"


def test_an_exception_stands_below_its_line() -> None:
    line = parse_line("intake", json.dumps({"event": "failed", "exception": "Traceback\n  boom"}))
    assert line.rendered().plain.endswith("failed\nTraceback\n  boom")


def test_foreign_lines_are_kept_as_they_are() -> None:
    postgres = parse_line("postgres", "2026-11-22 05:25:35.866 UTC [3239] @ FATAL:  the database system is starting up")
    assert postgres.level == "error"
    assert postgres.timestamp == "2026-11-22T05:25:35.866Z"
    nats = parse_line("nats", "[3226] 2026/11/22 05:25:35.867225 [WRN] slow")
    assert (nats.level, nats.timestamp) == ("warning", "2026-11-22T05:25:35.867225Z")
    assert parse_line("intake", "{not json").text == "{not json"
    assert parse_line("intake", '["a list"]').text == '["a list"]'


@pytest.mark.parametrize(
    "line",
    [
        "DETAIL: row $1 = '9999-12-31 23:59:59'",
        "2026-99-99 10:00:00",
        "0000-00-00 00:00:00",
        '{"event": "odd", "timestamp": "2026-13-01T00:00:00Z"}',
    ],
)
def test_times_that_no_calendar_has_are_only_text(line: str) -> None:
    assert parse_line("postgres", line).rendered().plain.strip()


def test_the_last_lines_of_each_file(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n2\n3\n")
    assert list(last_lines({"a": tmp_path / "a.log"}, 2)) == [("a", "2\n"), ("a", "3\n")]


def test_following_goes_on_after_a_file_was_emptied(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("old\n")
    lines = follow({"a": path}, 1)
    assert list(islice(lines, 1)) == [("a", "old\n")]
    with path.open("a") as file:
        file.write("new\nhalf")
    assert next(lines) == ("a", "new\n")
    rotate_large_logs([path], largest=1)
    with path.open("a") as file:
        file.write("x\n")
    assert next(lines) == ("a", "x\n")
    lines.close()


def test_large_logs_turn_and_old_ones_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with path.open("ab") as held:
        for number in range(6):
            held.write(f"line {number}\n".encode())
            held.flush()
            rotate_large_logs([path, tmp_path / "absent.log"], largest=3)
        held.write(b"last\n")
    assert path.read_text() == "last\n"
    assert [Path(f"{path}.{number}").read_text() for number in (1, 2, 3)] == ["line 5\n", "line 4\n", "line 3\n"]
    assert not Path(f"{path}.4").exists()


def test_lines_of_several_processes_become_one_story() -> None:
    lines = [
        parse_line("a", '{"event": "first", "timestamp": "2026-11-22T05:00:01Z"}'),
        parse_line("a", "  its second line"),
        parse_line("b", '{"event": "before", "timestamp": "2026-11-22T05:00:00Z"}'),
    ]
    assert [line.text for line in in_order(lines)] == ["before", "first", "  its second line"]

"""What holds for every command: its language, and the form of its JSON."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from bihuanctl.main import COMMANDS, build, run
from bihuanctl.platform.layout import Layout
from bihuanctl.session import Session
from bihuanctl.texts import Texts
from servicekit.errors import Fault, FieldViolation
from servicekit.languages import LANGUAGES, Language

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("locale", ["en_GB.UTF-8", "zh_CN.UTF-8"])
@pytest.mark.parametrize("line", ["--lang fr version", "version --lang fr", "--lang=fr --help", "up --help --lang fr"])
def test_a_language_that_is_none_of_ours_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], locale: str, line: str
) -> None:
    monkeypatch.delenv("BIHUAN_LANG", raising=False)
    monkeypatch.setenv("LC_ALL", locale)
    assert run(line.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert Texts("en" if locale.startswith("en") else "zh-CN")("refusal.language_unknown.title") in said.err
    assert "zh-CN, en" in said.err


@pytest.mark.parametrize("language", ["zh-CN", "zh", "zh-Hans", "en", "en-GB", "EN"])
def test_our_languages_are_taken_as_people_write_them(language: str) -> None:
    assert run(["--lang", language, "version"]) == 0


def test_moments_are_written_as_the_api_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 11, 23, 0, 10, 15, 742642, tzinfo=timezone(timedelta(hours=8)))
    session = Session(Texts("en"), Layout(tmp_path))
    session.print_json({"now": moment})
    session.print_json_line({"at": moment})
    whole, _, line = capsys.readouterr().out.strip().rpartition("\n")
    assert json.loads(whole) == {"now": "2026-11-22T16:10:15.742642Z"}
    assert json.loads(line) == {"at": "2026-11-22T16:10:15.742642Z"}


MISUSES = [
    "nosuch",
    "clock nosuch",
    "up --nosuch",
    "up --port x",
    "up --port 99999",
    "logs --lines",
    "case",
    "version extra",
    "--lang",
    "partners add somebody --event x --until tomorrow",
]


@pytest.mark.parametrize("line", MISUSES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_that_cannot_be_understood_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, language: Language
) -> None:
    monkeypatch.setenv("BIHUAN_LANG", language)
    assert run(line.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 3
    assert bool(CHINESE.search(said.err)) == (language == "zh-CN")
    assert "--help" in said.err


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_of_every_command_is_whole_in_each_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    """Nothing is cut off at 80 columns, and no frame is left in the other language."""
    monkeypatch.setenv("BIHUAN_LANG", language)
    monkeypatch.setenv("COLUMNS", "80")
    tree: Any = build(Texts(language))
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        page = capsys.readouterr().out
        squeezed = re.sub(r"[\s│]", "", page)
        command = tree.get_command(None, name)
        for part in (command, *command.params, *getattr(command, "commands", {}).values()):
            assert re.sub(r"\s", "", part.help or "") in squeezed, page
        if language == "zh-CN":
            assert not re.search("Usage|Options|Arguments|Commands|default|required|Show this", page), page
        else:
            assert not CHINESE.search(page), page


@pytest.mark.parametrize("line", ["version --json", "status --json"])
def test_json_has_the_words_of_machines_in_every_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str
) -> None:
    monkeypatch.setenv("BIHUAN_HOME", str(tmp_path))
    told = set()
    for language in LANGUAGES:
        monkeypatch.setenv("BIHUAN_LANG", language)
        run(line.split())
        told.add(capsys.readouterr().out)
    assert len(told) == 1
    assert isinstance(json.loads(told.pop()), dict)


def test_a_file_that_cannot_be_used_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("BIHUAN_LANG", "zh-CN")
    assert run(["archive", "consistency", str(tmp_path / "absent")]) == 1
    assert f"{tmp_path / 'absent'}：文件或目录不存在" in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [False, True])
def test_what_a_service_finds_wrong_with_a_request_is_told_field_by_field(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, *, as_json: bool
) -> None:
    monkeypatch.setattr("sys.argv", ["bihuan", "partners", "add", *["--json"] * as_json])
    wrong = Fault.of_violations([FieldViolation("partner", "string.pattern", "至少 3 个字符。")])
    Session(Texts("zh-CN"), Layout(tmp_path)).complain(wrong)
    said = capsys.readouterr().err
    if as_json:
        assert json.loads(said)["error"]["violations"] == [{"field": "partner", "message": "至少 3 个字符。"}]
    else:
        assert "partner: 至少 3 个字符。" in said

"""What holds for every command: its language, and the form of its JSON."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from bihuanctl.main import build
from bihuanctl.platform.layout import Layout
from bihuanctl.session import Session
from bihuanctl.texts import Texts


def run(*arguments: str) -> object:
    """Runs the command as the shell does; its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["bihuan", *arguments])
        with pytest.raises(SystemExit) as ended:
            build().main(arguments, prog_name="bihuan")
    return ended.value.code


@pytest.mark.parametrize("locale", ["en_GB.UTF-8", "zh_CN.UTF-8"])
def test_a_language_that_is_none_of_ours_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], locale: str
) -> None:
    monkeypatch.delenv("BIHUAN_LANG", raising=False)
    monkeypatch.setenv("LC_ALL", locale)
    assert run("--lang", "fr", "version") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert Texts("en" if locale.startswith("en") else "zh-CN")("refusal.language_unknown.title") in said.err
    assert "zh-CN, en" in said.err


@pytest.mark.parametrize("language", ["zh-CN", "zh", "zh-Hans", "en", "en-GB", "EN"])
def test_our_languages_are_taken_as_people_write_them(language: str) -> None:
    assert run("--lang", language, "version") == 0


def test_moments_are_written_as_the_api_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 11, 23, 0, 10, 15, 742642, tzinfo=timezone(timedelta(hours=8)))
    session = Session(Texts("en"), Layout(tmp_path))
    session.print_json({"now": moment})
    session.print_json_line({"at": moment})
    whole, _, line = capsys.readouterr().out.strip().rpartition("\n")
    assert json.loads(whole) == {"now": "2026-11-22T16:10:15.742642Z"}
    assert json.loads(line) == {"at": "2026-11-22T16:10:15.742642Z"}

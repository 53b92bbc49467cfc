"""The `bihuan-verify` command."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bihuan_verify.documents import (
    DocumentError,
    read_consistency,
    read_head,
    read_inclusion,
    read_json,
    read_keys,
)
from bihuan_verify.findings import LANGUAGES, CheckError, Outcome, say
from bihuan_verify.logfile import check_log_file
from bihuan_verify.package import check_package
from bihuan_verify.proofs import check_entry, check_growth

EXIT_WRONG = 1
EXIT_UNREADABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks one thing and prints the outcome; returns the exit status."""
    asked = _parser(_language(sys.argv[1:] if arguments is None else arguments)).parse_args(arguments)
    try:
        outcome = _check(asked)
    except OSError as wrong:
        return _refuse(asked, "file_unreadable", where=wrong.filename, detail=_reason_of(wrong))
    except DocumentError as wrong:
        return _refuse(asked, "unreadable", detail=wrong)
    except _KeysNeededError:
        return _refuse(asked, "keys_needed")
    _print(outcome, asked.lang, as_json=asked.json)
    return EXIT_WRONG if outcome.findings else 0


class _KeysNeededError(Exception):
    """Without keys from elsewhere, this check would prove nothing."""


def _check(asked: argparse.Namespace) -> Outcome:
    keys = read_keys(read_json(asked.keys.read_bytes())) if asked.keys else None
    if asked.what == "package":
        return check_package(asked.file.read_bytes(), keys)
    if keys is None:
        raise _KeysNeededError
    match asked.what:
        case "entry":
            return check_entry(read_inclusion(read_json(asked.file.read_bytes())), keys)
        case "consistency":
            old = read_head(read_json(asked.old.read_bytes()))
            return check_growth(old, read_consistency(read_json(asked.new.read_bytes())), keys)
        case _:
            with asked.file.open("rb") as file:
                return check_log_file(file, keys)


def _reason_of(wrong: OSError) -> CheckError | str | None:
    """What people run into, in their language; what is left, in the words of the system."""
    match wrong:
        case FileNotFoundError():
            return CheckError("no_such_file")
        case PermissionError():
            return CheckError("not_permitted")
        case IsADirectoryError():
            return CheckError("is_a_folder")
        case _:
            return wrong.strerror


def _refuse(asked: argparse.Namespace, code: str, **values: object) -> int:
    sys.stderr.write(say(code, asked.lang, **values) + "\n")
    return EXIT_UNREADABLE


def _print(outcome: Outcome, language: str, *, as_json: bool) -> None:
    if as_json:
        found = [{"code": each.code, "where": each.where, "text": each.text(language)} for each in outcome.findings]
        sys.stdout.write(json.dumps({"ok": not found, "findings": found}, ensure_ascii=False) + "\n")
        return
    for code, values in outcome.checked:
        sys.stdout.write(say(code, language, **values) + "\n")
    for finding in outcome.findings:
        sys.stdout.write(f"✘ {finding.text(language)}\n")
    count = len(outcome.findings)
    sys.stdout.write(say("wrong" if count else "well", language, count=count) + "\n")


def _parser(language: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bihuan-verify", description=say("help_verify", language))
    parser.add_argument("--lang", choices=LANGUAGES, default=language, help=say("help_language", language))
    parser.add_argument("--json", action="store_true", help=say("help_json", language))
    parser.add_argument("--keys", type=Path, metavar="FILE", help=say("help_keys", language))
    checks = parser.add_subparsers(dest="what", required=True)
    for what in ("package", "entry", "log"):
        text = say(f"help_{what}", language)
        checks.add_parser(what, help=text, description=text).add_argument("file", type=Path, metavar="FILE")
    text = say("help_consistency", language)
    growth = checks.add_parser("consistency", help=text, description=text)
    growth.add_argument("old", type=Path, metavar="OLD")
    growth.add_argument("new", type=Path, metavar="NEW")
    return parser


def _language(arguments: Sequence[str]) -> str:
    """`--lang` before BIHUAN_LANG before the locale."""
    given = list(arguments)
    asked = given[given.index("--lang") + 1 :][:1] if "--lang" in given else []
    wanted = asked[0] if asked else os.environ.get("BIHUAN_LANG") or os.environ.get("LANG", "")
    return "zh-CN" if wanted.lower().startswith("zh") else "en"


if __name__ == "__main__":
    sys.exit(main())

"""What the command says is in one language as a whole, reasons included (REC-07)."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import bihuan_verify
import pytest
from bihuan_verify.__main__ import main
from bihuan_verify.findings import LANGUAGES, texts
from test_verify_package import KEYS, package, proof_of, signed_head

SOURCES = sorted(Path(bihuan_verify.__file__).parent.glob("*.py"))
# Names of fields and formats stand in Chinese texts too; sentences don't.
ENGLISH = re.compile(r"[a-z]+ [a-z]+ [a-z]+")

WRONG_PROOF = proof_of({"record_number": "R1"}) | {"path": []}
OTHER_KEY = WRONG_PROOF | {"head": signed_head(2, bytes(32)) | {"key_id": "k"}}
GROWN = {"first_size": "1", "path": [], "head": signed_head(2, bytes(32))}


def test_every_text_exists_in_each_language() -> None:
    assert len(texts()) > 60
    for entry in texts().values():
        assert set(entry) == set(LANGUAGES)
        places = {language: sorted(re.findall(r"\{(\w+)\}", entry[language])) for language in LANGUAGES}
        assert places["en"] == places["zh-CN"]
        assert all(entry.values())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_reason_is_a_text(source: Path) -> None:
    raised = [
        call.args[0]
        for call in ast.walk(ast.parse(source.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id.endswith("Error")
        and call.args
    ]
    codes = [code.value for code in raised if isinstance(code, ast.Constant)]
    assert len(codes) == len(raised)
    assert set(codes) <= texts().keys()


@pytest.mark.parametrize(
    ("what", "content", "said"),
    [
        ("entry", b"[]", "不是 JSON 对象"),
        ("entry", b"{\n?", "不是 JSON（第 2 行第 1 列）"),
        ("entry", json.dumps(WRONG_PROOF).encode(), "证明路径过短"),
        (
            "entry",
            json.dumps({**WRONG_PROOF, "head": signed_head(2, bytes(32)) | {"key_id": "k"}}).encode(),
            "密钥 k 不在",
        ),
        ("entry", json.dumps({**WRONG_PROOF, "leaf_index": "x"}).encode(), "leaf_index 不是数字"),
        ("package", b"PK", "不是可读取的 ZIP 文件"),
        ("package", package(**{"proofs__version-1.json": b"{}"}), "缺少 head"),
        ("log", b"", "文件是空的"),
    ],
)
def test_reasons_are_in_the_language_of_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, content: bytes, said: str
) -> None:
    file, keys = tmp_path / "file", tmp_path / "keys.json"
    file.write_bytes(content)
    keys.write_text(json.dumps(KEYS))
    assert main(["--lang", "zh-CN", "--keys", str(keys), what, str(file)]) in {1, 2}
    told = "".join(capsys.readouterr())
    assert said in told
    assert not ENGLISH.search(told)


def test_reasons_of_a_growth_and_of_a_missing_file_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, keys = (tmp_path / name for name in ("old.json", "new.json", "keys.json"))
    old.write_text(json.dumps(signed_head(1, bytes(32))))
    new.write_text(json.dumps({**GROWN, "first_size": "2"}))
    keys.write_text(json.dumps(KEYS))
    checked = ["--lang", "zh-CN", "--keys", str(keys), "consistency"]
    assert main([*checked, str(old), str(new)]) == 1
    assert "证明始于 2 条，而旧树头为 1 条" in capsys.readouterr().out
    assert main([*checked, str(old), str(tmp_path / "nowhere")]) == 2
    told = capsys.readouterr().err
    assert "没有这个文件" in told
    assert not ENGLISH.search(told)

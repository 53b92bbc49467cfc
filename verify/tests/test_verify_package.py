"""Packages, proofs and logs that are right, wrong, or nothing of the kind (REC-04, REC-07)."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from bihuan_verify.__main__ import main
from bihuan_verify.documents import DocumentError, read_head, read_inclusion, read_json, read_keys
from bihuan_verify.findings import say
from bihuan_verify.merkle import leaf_hash, node_hash, root_of_leaves
from bihuan_verify.package import check_package
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
X = base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).rstrip(b"=").decode()
KEYS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "not believed"}]}
[KEY_ID] = read_keys(KEYS)
NEIGHBOUR = leaf_hash(b"another entry")


def in_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def signed_head(size: int, root: bytes, timestamp_ms: int = 1_772_000_000_000) -> dict[str, Any]:
    message = struct.pack(">QQB", timestamp_ms, size, 32) + root + b"\0\0"
    return {
        "tree_size": str(size),
        "timestamp_ms": str(timestamp_ms),
        "root_hash": in_base64(root),
        "signature": in_base64(KEY.sign(message)),
        "key_id": KEY_ID,
    }


def proof_of(facts: dict[str, str], kind: str = "record_filed") -> dict[str, Any]:
    """The second of two entries."""
    entry = json.dumps({"facts": facts, "kind": kind, "at": "2026-03-02"}).encode()
    root = node_hash(NEIGHBOUR, leaf_hash(entry))
    return {
        "entry": in_base64(entry),
        "leaf_index": "1",
        "path": [in_base64(NEIGHBOUR)],
        "head": signed_head(2, root),
    }


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


CONTENT, RECORD_CATALOGUE = b'{"case_id":"1"}', b'{"record_id":"a","record_number":"R1"}'


def filed(version: int = 1, **facts: str) -> dict[str, str]:
    """What the log swears to of a version of the package's record."""
    sworn = {"record_id": "a", "version": str(version), "content_hash": sha256(CONTENT)}
    return sworn | {"catalogue_hash": sha256(RECORD_CATALOGUE)} | facts


def package(*proofs: dict[str, Any], **changed: bytes | None) -> bytes:
    """A package as the platform makes it, of a version for each proof. `changed`: what stands in a file instead after
    the manifests were written, by the file's path with `__` for `/`; None takes it out."""
    files = {
        "data/record.json": b"{}",
        "data/catalogue.json": RECORD_CATALOGUE,
        "proofs/keys.json": json.dumps(KEYS).encode(),
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
    }
    for version, proof in enumerate(proofs or (proof_of(filed()),), start=1):
        files[f"data/content/version-{version}.json"] = CONTENT
        files[f"proofs/version-{version}.json"] = json.dumps(proof).encode()
    for name, covered in (("manifest", True), ("tagmanifest", False)):
        listed = {path: each for path, each in files.items() if path.startswith("data/") is covered}
        files[f"{name}-sha256.txt"] = "".join(f"{sha256(each)}  {path}\n" for path, each in listed.items()).encode()
    for path, each in changed.items():
        files[path.replace("__", "/")] = each
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, each in files.items():
            if each is not None:
                archive.writestr(zipfile.ZipInfo(f"R1-v1/{path}"), each)
    return buffer.getvalue()


def codes(content: bytes, trusted: dict[str, bytes] | None = None) -> set[str]:
    return {finding.code for finding in check_package(content, trusted).findings}


def test_rec_07_a_package_is_of_one_piece_and_signed_by_the_key_that_counts() -> None:
    assert codes(package(), read_keys(KEYS)) == set()
    untrusted = check_package(package())
    assert untrusted.findings == []
    assert ("keys_untrusted", {"keys": KEY_ID}) in untrusted.checked


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"data__record.json": b"[]"}, {"file_changed"}),
        ({"data__record.json": None}, {"file_missing"}),
        ({"data__more.json": b"{}"}, {"file_added"}),
        ({"proofs__more.json": b"{}"}, {"file_added"}),
        ({"bagit.txt": b"BagIt-Version: 0.97\n"}, {"not_a_bag", "file_changed"}),
        ({"data__content__version-1.json": b"{}"}, {"file_changed", "content_unproven"}),
        ({"data__catalogue.json": b"{}"}, {"file_changed", "content_unproven"}),
        ({"proofs__version-1.json": b"{}"}, {"file_changed", "proof_wrong"}),
        ({"proofs__version-1.json": None}, {"file_missing", "proof_wrong"}),
        ({"data__content__version-1.json": None}, {"file_missing"}),
        ({"data__content__version-3.json": b"{}"}, {"file_added", "proof_wrong", "version_missing"}),
    ],
)
def test_rec_07_whatever_is_changed_is_named(changed: dict[str, bytes | None], expected: set[str]) -> None:
    assert codes(package(**changed), read_keys(KEYS)) == expected


@pytest.mark.parametrize(
    ("proofs", "expected"),
    [
        ([proof_of(filed()), proof_of(filed(2))], set()),
        ([proof_of(filed(record_id="b")), proof_of(filed(2))], {"records_mixed"}),
        ([proof_of(filed(record_id="b"))], {"content_unproven"}),
        ([proof_of(filed(), "record_seen")], {"content_unproven"}),
        ([proof_of({"version": "1", "content_hash": sha256(CONTENT)})], {"content_unproven"}),
    ],
)
def test_rec_07_a_package_is_of_one_record(proofs: list[dict[str, Any]], expected: set[str]) -> None:
    assert codes(package(*proofs), read_keys(KEYS)) == expected


def test_rec_07_what_the_log_swears_to_nothing_of_is_said_in_both_languages() -> None:
    said = dict(check_package(package(), read_keys(KEYS)).checked)["unsworn"]
    assert said == {"files": "data/record.json", "sha256": sha256(package())}
    assert "Not sworn by the log: data/record.json." in say("unsworn", "en", **said)
    assert "日志未作证明的文件：data/record.json。" in say("unsworn", "zh-CN", **said)


def test_rec_07_what_was_filed_before_the_log_has_no_sworn_catalogue() -> None:
    before = {name: value for name, value in filed().items() if name != "catalogue_hash"}
    outcome = check_package(package(proof_of(before)), read_keys(KEYS))
    assert outcome.findings == []
    assert dict(outcome.checked)["unsworn"]["files"] == "data/catalogue.json, data/record.json"


def test_a_genuine_proof_under_another_key_does_not_count() -> None:
    assert codes(package(), {}) == {"proof_wrong"}
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert codes(package(), {KEY_ID: other}) == {"proof_wrong"}


@settings(max_examples=60)
@given(st.data())
def test_rec_07_no_changed_byte_goes_unseen(data: st.DataObject) -> None:
    """Wherever a byte of the payload or of a proof is changed, the package fails or cannot be read."""
    whole = package()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        paths = [name.partition("/")[2] for name in archive.namelist()]
        path = data.draw(st.sampled_from([each for each in paths if each.startswith(("data/", "proofs/"))]))
        content = bytearray(archive.read(f"R1-v1/{path}"))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    assert codes(package(**{path.replace("/", "__"): bytes(content)}), read_keys(KEYS))


@given(st.binary(max_size=300))
def test_nothing_else_passes_for_a_package(content: bytes) -> None:
    assert codes(content) == {"unreadable"}


def test_a_package_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bihuan_verify.bag.MOST_BYTES", 100)
    assert codes(package()) == {"unreadable"}


@pytest.mark.parametrize(
    "text", ["", "[]", "nothing", '{"entry": "?"}', '{"leaf_index": "x", "head": {}}', '{"path": 1}']
)
def test_a_document_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        read_inclusion(read_json(text))


def test_a_head_is_read_with_what_json_leaves_out() -> None:
    assert read_head({}).tree_size == 0


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_rec_04_the_root_over_leaves_is_that_of_the_recursion(entries: list[bytes]) -> None:
    leaves = [leaf_hash(entry) for entry in entries]

    def plain(part: list[bytes]) -> bytes:
        if len(part) <= 1:
            return part[0] if part else hashlib.sha256(b"").digest()
        split = 1 << ((len(part) - 1).bit_length() - 1)
        return node_hash(plain(part[:split]), plain(part[split:]))

    assert root_of_leaves(leaves) == plain(leaves)


class Files:
    """What somebody has on their disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, content: bytes | dict[str, Any]) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_the_command_says_in_both_languages_what_it_found(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    good, keys = files.keep("good.zip", package()), files.keep("keys.json", KEYS)
    bad = files.keep("bad.zip", package(data__more=b""))
    assert main(["--lang", "en", "--keys", keys, "package", good]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "OK"
    assert main(["--lang", "zh-CN", "--keys", keys, "package", bad]) == 1
    assert "data/more 为后加文件" in capsys.readouterr().out
    assert main(["--json", "--keys", keys, "package", bad]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["where"] == "data/more"


def test_the_command_checks_entries_growth_and_logs(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    keys = files.keep("keys.json", KEYS)
    proof = proof_of({"record_number": "R1", "reason": "over"})
    assert main(["--lang", "en", "--keys", keys, "entry", files.keep("entry.json", proof)]) == 0
    assert "reason: over" in capsys.readouterr().out
    old = files.keep("old.json", signed_head(1, NEIGHBOUR))
    entry = leaf_hash(base64.b64decode(proof["entry"]))
    grown = {"first_size": "1", "path": [in_base64(entry)], "head": proof["head"]}
    assert main(["--keys", keys, "consistency", old, files.keep("new.json", grown)]) == 0
    assert main(["--keys", keys, "consistency", old, files.keep("new.json", grown | {"path": []})]) == 1
    other = files.keep("old.json", signed_head(1, entry))
    assert main(["--keys", keys, "consistency", other, files.keep("new.json", grown)]) == 1

    told = base64.b64encode(b'{"facts":{},"kind":"hold_placed"}').decode()
    leaf = leaf_hash(base64.b64decode(told))
    line = {"leaf_hash": in_base64(leaf), "entry": told, "kind": "hold_placed"}
    log = json.dumps({"entries": [line], "head": signed_head(1, leaf)}).encode() + b"\n"
    assert main(["--keys", keys, "log", files.keep("log.jsonl", log)]) == 0
    shorter = json.dumps({"entries": [], "head": signed_head(1, leaf)}).encode()
    assert main(["--keys", keys, "log", files.keep("log.jsonl", shorter)]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["package", "nowhere.zip"], "nowhere.zip cannot be read"),
        (["entry", "nothing.json"], "Give the log's keys"),
        (["log", "nothing.json"], "Give the log's keys"),
        (["--keys", "empty.json", "package", "nothing.json"], "It cannot be read: it is not JSON"),
    ],
)
def test_what_cannot_be_read_is_told_apart_from_what_is_wrong(
    files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(files.folder)
    files.keep("nothing.json", {})
    files.keep("empty.json", b"")
    assert main(["--lang", "en", *arguments]) == 2
    assert said in capsys.readouterr().err

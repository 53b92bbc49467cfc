"""Whatever somebody hands in, the command answers: well, wrong or unreadable, never with a traceback (REC-07)."""

from __future__ import annotations

import base64
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from bihuan_verify.__main__ import main
from hypothesis import given, settings
from hypothesis import strategies as st
from test_verify_package import KEYS, filed, package, proof_of, signed_head

GOOD_ENTRY = {
    "leaf_hash": base64.b64encode(bytes(32)).decode(),
    "entry": base64.b64encode(json.dumps({"facts": filed(), "kind": "record_filed"}).encode()).decode(),
    "kind": "record_filed",
    "record_id": "a",
    "found": {},
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "entry": proof_of(filed()),
    "consistency": {"first_size": "1", "path": [], "head": signed_head(2, bytes(32))},
    "log": {"entries": [GOOD_ENTRY], "head": signed_head(1, bytes(32))},
}
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=6
)


def status(what: str, content: bytes, keys: bytes = json.dumps(KEYS).encode()) -> int:
    """The exit status of a check of these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file, known = Path(folder, "file"), Path(folder, "keys.json")
        file.write_bytes(content)
        known.write_bytes(keys)
        return main(["--keys", str(known), what, *[str(file)] * (2 if what == "consistency" else 1)])


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("consistency", b'{"tree_size": "-1", "head": {"tree_size": -1}}'),
        ("entry", b"[" * 100_000),
        ("entry", b'{"leaf_index": Infinity}'),
        ("log", b"\xff\xfe\xfd"),
        ("log", b'{"head": {}, "entries": [1]}'),
        ("log", b'{"head": {}, "entries": {"a": 1}}'),
    ],
)
def test_what_is_no_document_is_unreadable(what: str, content: bytes) -> None:
    assert status(what, content) == 2


def test_a_log_with_names_that_nobody_knows_is_judged() -> None:
    page = {**DOCUMENTS["log"], "entries": [{**GOOD_ENTRY, "found": {"other_hash": "1"}}]}
    assert status("log", json.dumps(page).encode()) == 1


def test_a_head_with_a_root_of_another_length_is_not_genuine() -> None:
    head = {**signed_head(1, bytes(32)), "root_hash": base64.b64encode(bytes(300)).decode()}
    assert status("log", json.dumps({**DOCUMENTS["log"], "head": head}).encode()) == 1


@pytest.mark.parametrize("name", ["version-01", "version-\u0661", "version-0", "version-" + "9" * 5000])
def test_a_version_of_an_odd_name_is_a_finding(name: str) -> None:
    assert status("package", package(**{f"data__content__{name[:200]}.json": b"{}"})) == 1


def test_an_archive_whose_compressed_bytes_are_broken_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "broken.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("R1/bagit.txt", b"BagIt " * 100)
    content = bytearray(path.read_bytes())
    content[42:52] = b"\xff" * 10
    assert status("package", bytes(content)) == 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_documents_with_anything_in_them_are_judged_or_unreadable(data: st.DataObject) -> None:
    what = data.draw(st.sampled_from(sorted(DOCUMENTS)))
    document = json.loads(json.dumps(DOCUMENTS[what]))
    place: Any = document
    while True:
        name = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        if not isinstance(place[name], dict | list) or not place[name] or data.draw(st.booleans()):
            break
        place = place[name]
    place[name] = data.draw(ANYTHING)
    assert status(what, json.dumps(document).encode()) in {0, 1, 2}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["package", *DOCUMENTS]), st.binary(max_size=200), st.data())
def test_any_bytes_are_judged_or_unreadable(what: str, noise: bytes, data: st.DataObject) -> None:
    whole = package() if what == "package" else json.dumps(DOCUMENTS[what]).encode()
    place = data.draw(st.integers(0, len(whole)))
    assert status(what, whole[:place] + noise + whole[place + len(noise) :]) in {0, 1, 2}
    assert status(what, noise) in {1, 2}
    assert status(what, whole, keys=noise) in {1, 2}

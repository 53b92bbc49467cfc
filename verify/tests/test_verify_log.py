"""A log may be larger than the memory of whoever checks it (REC-04)."""

from __future__ import annotations

import base64
import io
import json
import tracemalloc

from bihuan_verify.documents import read_keys
from bihuan_verify.logfile import check_log_file
from bihuan_verify.merkle import leaf_hash, root_of_leaves
from test_verify_package import KEYS, filed, signed_head

RECORDS = 1000
PAGE = 10


def an_entry(index: int) -> bytes:
    # Large, so that whoever keeps entries is found out.
    facts = filed() | {"record_id": str(index), "remark": "x" * 10_000}
    return json.dumps({"facts": facts, "kind": "record_filed"}).encode()


def a_log() -> io.BytesIO:
    head = signed_head(RECORDS, root_of_leaves(leaf_hash(an_entry(index)) for index in range(RECORDS)))
    file = io.BytesIO()
    for first in range(0, RECORDS, PAGE):
        page = {"entries": [as_platform_answers(index) for index in range(first, first + PAGE)], "head": head}
        file.write(json.dumps(page).encode() + b"\n")
    return file


def as_platform_answers(index: int) -> dict[str, object]:
    entry = an_entry(index)
    return {
        "leaf_index": str(index),
        "leaf_hash": base64.b64encode(leaf_hash(entry)).decode(),
        "entry": base64.b64encode(entry).decode(),
        "kind": "record_filed",
        "record_id": str(index),
        "version": 1,
        "found": {name: value for name, value in filed().items() if name.endswith("_hash")},
    }


def test_a_log_is_checked_with_a_page_in_memory_at_a_time() -> None:
    file = a_log()
    tracemalloc.start()
    try:
        outcome = check_log_file(file, read_keys(KEYS))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert dict(outcome.checked)["log_whole"] == {"entries": RECORDS, "records": RECORDS}
    assert peak < len(file.getvalue()) / 10

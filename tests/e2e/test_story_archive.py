"""From the closed case to a package that convinces a court; and rows that somebody changed (REC-03..07, REC-09)."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from acting import SUPERVISOR, Cast, Story
from archiving import (
    APPROVER,
    ARCHIVIST,
    DESTRUCTIONS,
    REQUESTS,
    SECOND_ARCHIVIST,
    closed_case,
    export_package,
    is_sequenced,
    request_access,
    tamper,
    verify,
)

pytestmark = pytest.mark.e2e

SECRET = "钥匙在花盆下面"


@pytest.fixture
def kept(cast: Cast, tmp_path: Path) -> Path:
    """What an outsider keeps of the log: its public keys, and a head from before this story."""
    with httpx.Client(base_url=cast.platform.gateway_url, trust_env=False, timeout=30) as public:
        if not public.get("/v1/record-log/head").is_success:  # no other story has filed anything yet
            closed_case(cast, "先有一份档案")
            cast.platform.eventually(lambda: public.get("/v1/record-log/head").is_success, "the log has no head")
        for name in ("head", "keys"):
            (tmp_path / f"{name}.json").write_text(public.get(f"/v1/record-log/{name}").text)
    return tmp_path


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_rec_03_searched_requested_approved_opened_exported_and_forgotten(
    platform: Any, cast: Cast, kept: Path
) -> None:
    story = closed_case(cast, SECRET)
    record = story.record()
    assert (record["grade"], record.get("texts", []), record.get("result", "")) == ("DATA_GRADE_SENSITIVE", [], "")

    request_id = asked_and_approved(cast, story, record)
    opened = cast.do(ARCHIVIST, f"{REQUESTS}/{request_id}:open", {})
    assert SECRET in {text["text"] for text in opened["texts"]}
    assert all(word in opened["watermark"] for word in (ARCHIVIST, "法院调取")), opened["watermark"]
    assert opened["watermark"] in opened["html"]

    package = export_package(cast, request_id, kept / "package.zip")
    assert verify("--keys", kept / "keys.json", "package", package) == (0, [])
    forged = kept / "forged.zip"
    forged.write_bytes(package.read_bytes()[:-200] + bytes(200))
    assert not_verified(forged)
    log_has_only_grown(platform, kept)

    customer_id = story.look()["customer_id"]
    cast.do(SUPERVISOR, f"/v1/customers/{customer_id}:erase", {"reason": "asked by letter"})
    assert {text["text"] for text in cast.do(ARCHIVIST, f"{REQUESTS}/{request_id}:open", {})["texts"]} == {""}
    after = export_package(cast, request_id, kept / "after.zip")
    assert verify("--keys", kept / "keys.json", "package", after) == (0, [])
    assert verify("--keys", kept / "keys.json", "package", package) == (0, [])

    platform.advance("25h")
    expired(platform, cast, request_id)
    outcomes = [each["outcome"] for each in cast.get("auditor", f"/v1/records/{story.case_id}/accesses")["accesses"]]
    assert outcomes[:4] == ["access_not_open", "exported", "opened", "exported"]
    platform.assert_nothing_fell_out()


def asked_and_approved(cast: Cast, story: Story, record: Any) -> str:
    """Nothing opens without a purpose, without somebody else's approval, or for somebody else."""
    body = {"record": record["record_number"], "purpose": "  "}
    assert code(cast.ask(ARCHIVIST, REQUESTS, body, key=story.case_id)) == (400, "purpose_required")
    assert code(cast.ask("duty", REQUESTS, {**body, "purpose": "好奇"}, key=story.case_id)) == (403, "grade_forbidden")
    request = request_access(cast, record["record_number"], "法院调取")
    path = f"{REQUESTS}/{request['request_id']}"
    assert (request["state"], request["approvals_needed"]) == ("ACCESS_REQUEST_STATE_PENDING", 1)
    assert code(cast.ask(ARCHIVIST, f"{path}:open", {})) == (409, "access_not_open")
    assert code(cast.ask(ARCHIVIST, f"{path}:approve", {})) == (403, "approval_own")
    approved = cast.do(APPROVER, f"{path}:approve", {}, version=request["version"])
    assert approved["state"] == "ACCESS_REQUEST_STATE_APPROVED"
    assert code(cast.ask(SECOND_ARCHIVIST, f"{path}:open", {})) == (403, "not_yours")
    return str(request["request_id"])


def not_verified(file: Path) -> bool:
    status, findings = verify("package", file)
    return status == 1 and bool(findings)


def log_has_only_grown(platform: Any, kept: Path) -> None:
    """The head that was kept before the story is the beginning of today's log."""
    old, grown = kept / "head.json", kept / "grown.json"
    assert platform.run("archive", "consistency", str(old), "--keep", str(grown)).returncode == 0
    assert verify("--keys", kept / "keys.json", "consistency", old, grown) == (0, [])
    head = json.loads(old.read_text())
    root = base64.b64encode(bytes(32)).decode()
    (kept / "other.json").write_text(json.dumps({**head, "root_hash": root}))
    status, _ = verify("--keys", kept / "keys.json", "consistency", kept / "other.json", grown)
    assert status == 1


def expired(platform: Any, cast: Cast, request_id: str) -> None:
    """A day later nobody may open it, whatever was approved."""
    path = f"{REQUESTS}/{request_id}"
    # Not before: records hears of the new time by the bus.
    platform.eventually(
        lambda: cast.get(ARCHIVIST, path)["state"] == "ACCESS_REQUEST_STATE_EXPIRED", "the clock never fired"
    )
    assert code(cast.ask(ARCHIVIST, f"{path}:open", {})) == (409, "access_not_open")


def test_rec_06_nothing_is_destroyed_before_its_time_or_while_somebody_holds_it(platform: Any, cast: Cast) -> None:
    story = closed_case(cast, SECRET)
    record = story.record()
    body = {"record": record["record_id"], "reason": "保管期满"}
    assert code(cast.ask(ARCHIVIST, DESTRUCTIONS, body, key="early")) == (409, "retention_running")
    years = datetime.fromisoformat(record["retained_until"]) - platform.now()
    assert years > timedelta(days=4 * 365)
    held = cast.do(ARCHIVIST, f"/v1/records/{record['record_id']}:hold", {"reason": "诉讼"})
    assert story.record()["on_hold"] is True
    cast.do(ARCHIVIST, f"/v1/record-holds/{held['hold_id']}:release", {})
    # Five years on, every certificate of this platform would be over: services/records/tests tell the rest.
    assert code(cast.ask(ARCHIVIST, f"/v1/record-holds/{held['hold_id']}:release", {})) == (409, "transition_forbidden")
    platform.assert_nothing_fell_out()


FIRST, SECOND = "record_id = $1::uuid", "record_id = $2::uuid"
BOTH = f"({FIRST} OR {SECOND})"
KEPT = ("record_versions", "record_heads", "log_entries")
# What somebody with the database's password does to the first record, and which findings name which record.
TAMPERING = {
    "content": (
        f"UPDATE record_versions SET content = content || '\\x20'::bytea WHERE {FIRST}",
        {("content_changed", "first")},
    ),
    "catalogue": (f"UPDATE record_heads SET satisfaction = 5 WHERE {FIRST}", {("catalogue_changed", "first")}),
    "deleted": (f"DELETE FROM record_versions WHERE {FIRST}", {("content_lost", "first")}),
    "exchanged": (
        """WITH swapped AS (
            SELECT a.record_id, b.content FROM record_versions a JOIN record_versions b ON a.record_id <> b.record_id
            WHERE a.record_id IN ($1::uuid, $2::uuid) AND b.record_id IN ($1::uuid, $2::uuid)
        ) UPDATE record_versions SET content = swapped.content FROM swapped
        WHERE record_versions.record_id = swapped.record_id""",
        {("content_changed", "first"), ("content_changed", "second")},
    ),
    "log": (
        f"DELETE FROM log_entries WHERE {FIRST} AND kind = 'record_filed'",
        {("entry_lost", ""), ("root_wrong", "")},
    ),
}


def test_rec_04_whatever_is_changed_in_the_database_is_found_and_named(platform: Any, cast: Cast, kept: Path) -> None:
    first, second = (closed_case(cast, words).record() for words in (SECRET, "另一位客户"))
    names = {f"{first['record_number']} v1": "first", f"{second['record_number']} v1": "second"}
    ids = (first["record_id"], second["record_id"])
    # An entry that is kept without its place would be given another with every restoration.
    platform.eventually(lambda: is_sequenced(platform) and audit(platform) == [], "the log was never whole")
    for table in KEPT:
        tamper(platform, f"CREATE TABLE kept_{table} AS SELECT * FROM {table} WHERE {BOTH}", *ids)
    try:
        for statement, expected in TAMPERING.values():
            tamper(platform, statement, *(ids if "$2" in statement else ids[:1]))
            found = {(each["code"], names.get(each["where"], "")) for each in audit(platform)}
            restore(platform, ids)
            assert found >= expected
            assert {name for _, name in found} <= {name for _, name in expected} | {""}, "nobody else is named"
        assert audit(platform) == []
        keep_the_log_and_verify_it_elsewhere(platform, kept)
    finally:
        restore(platform, ids)
        for table in KEPT:
            tamper(platform, f"DROP TABLE kept_{table}")
    platform.assert_nothing_fell_out()


def audit(platform: Any) -> Any:
    return platform.json("archive", "audit", allowed=(0, 1))["findings"]


def restore(platform: Any, ids: tuple[str, str]) -> None:
    """Sets the archive right again, so that other stories find it sound."""
    for table in KEPT:
        tamper(platform, f"DELETE FROM {table} WHERE {BOTH}", *ids)
        tamper(platform, f"INSERT INTO {table} SELECT * FROM kept_{table}")


def keep_the_log_and_verify_it_elsewhere(platform: Any, kept: Path) -> None:
    assert platform.run("archive", "audit", "--keep", str(kept / "log.jsonl")).returncode == 0
    assert verify("--keys", kept / "keys.json", "log", kept / "log.jsonl") == (0, [])

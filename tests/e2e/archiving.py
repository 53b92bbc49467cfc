"""The people of the archive's stories, and somebody with direct access to its database."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from acting import Cast, Story

ARCHIVIST = "archivist"
SECOND_ARCHIVIST = "archivist2"
APPROVER = "supervisor"
REQUESTS = "/v1/record-access-requests"
DESTRUCTIONS = "/v1/record-destructions"


def request_access(cast: Cast, record: str, purpose: str = "客户查询", user: str = ARCHIVIST) -> Any:
    body = {"record": record, "purpose": purpose}
    return cast.do(user, REQUESTS, body, key=str(uuid4()))


def open_record(cast: Cast, record: str) -> Any:
    """Asked for, approved and opened: the record with its content."""
    request = request_access(cast, record)
    cast.do(APPROVER, f"{REQUESTS}/{request['request_id']}:approve", {})
    return cast.do(ARCHIVIST, f"{REQUESTS}/{request['request_id']}:open", {})


def closed_case(cast: Cast, description: str) -> Story:
    """A case with personal words in it, from the report to the archive."""
    story = cast.report(description=description)
    story.assess(visit=False)
    story.step("duty", "startHandling")
    story.step("duty", "deliver", result="已远程恢复")
    story.finish()
    return story


def export_package(cast: Cast, request_id: str, file: Path) -> Path:
    """Right after a filing its place in the log may be a moment away."""

    def exported() -> Any:
        answer = cast.ask(ARCHIVIST, f"{REQUESTS}/{request_id}:export", {})
        assert answer.status_code in {200, 503}, answer.text
        return answer.json() if answer.is_success else None

    file.write_bytes(base64.b64decode(cast.platform.eventually(exported, "never exported")["package"]))
    return file


def verify(*arguments: object) -> tuple[int, Any]:
    """`bihuan-verify` in a process of its own: exit status and findings."""
    command = [sys.executable, "-m", "bihuan_verify", "--lang", "en", "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={})
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode, json.loads(done.stdout)["findings"]


def tamper(platform: Any, statement: str, *values: object) -> None:
    """Somebody with the database's password changes rows past the service."""
    _as_the_service(platform, statement, *values)


def is_sequenced(platform: Any) -> bool:
    """Whether every entry of the log has its place."""
    return not _as_the_service(platform, "SELECT entry_id FROM log_entries WHERE leaf_index IS NULL")


def _as_the_service(platform: Any, statement: str, *values: object) -> list[Any]:
    password = json.loads((platform.home / "secrets.json").read_text())["database"]["records"]
    port = platform.process("postgres")["port"]

    async def execute() -> list[Any]:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user="records", password=password, database="records"
        )
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    return asyncio.run(execute())

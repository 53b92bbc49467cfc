"""Whatever is sent to the gateway, it answers as its OpenAPI document says, never with an error of its own (GWY-01).

`make fuzz` sends far more than a test run has time for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from acting import Cast, Place
from calling import Callers
from servicekit.identity.principal import ROLES

pytestmark = pytest.mark.e2e

SEED = 20251122
# Requests for each operation; with `make fuzz` also every value at the edge of what is allowed.
FEW = 2
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def test_every_answer_is_as_documented(platform: Any, tmp_path: Path) -> None:
    thorough = int(os.environ.get("BIHUAN_FUZZ_REQUESTS", "0"))
    # Somebody who may do everything, so that every operation is reached.
    token = Callers(platform.home / "issuer", platform.gateway_url).token(*sorted(ROLES), domain="cn")
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{platform.gateway_url}/openapi.json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--checks", ",".join(CHECKS)),
        *("--phases", "examples,coverage,fuzzing" if thorough else "examples,fuzzing"),
        *("--max-examples", str(thorough or FEW)),
        *("--seed", str(SEED)),
        *("--continue-on-failure", "--warnings", "off"),
        *(() if thorough else ("--no-shrink",)),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    # The alarms that were raised anywhere are none of the next story's.
    Cast(platform, Place("cn", "voice_line")).call_off_outages()
    platform.assert_nothing_fell_out()

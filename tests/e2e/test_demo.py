"""The demo, as people start it: whole lives through the gateway, and nothing falls out (issue part 8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bihuanctl.demo.scenes import SCENES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(500)]

PATIENCE = 480.0
FILE = """Complaint,Via,Where
No internet since yesterday,Internet,天河区
,Internet,天河区
机顶盒黑屏了,热线,南山区
The line is down again,pigeon,天河区
Slow speed every evening,Customer Care Call,武侯区
"""


def test_forty_requests_go_round_the_loop(platform: Any) -> None:
    done = platform.run_anew("demo", "--cases", "40", "--seed", "11", "--json", patience=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = _figures(done)
    # A customer who comes back has a second case.
    assert outcome["accepted"] >= 40
    assert outcome["accepted"] == outcome["archived"] == outcome["records"]["filed"] == outcome["records"]["complete"]
    assert sum(outcome["stages"].values()) == outcome["accepted"]
    assert outcome["withdrawn"] > 0
    assert outcome["confirmed_by_default"] > 0
    assert outcome["reopened"] > 0
    satisfaction = outcome["satisfaction"]
    assert sum(satisfaction["scores"].values()) == satisfaction["answered"] <= satisfaction["sent"]
    assert outcome["clocks"]["customer_confirmation"]["missed"] == outcome["confirmed_by_default"]
    assert outcome["clocks"]["filing"]["met"] == outcome["accepted"]
    assert outcome["events"]["records"]["published"] >= outcome["records"]["filed"]
    # A scene that told nothing showed nothing.
    assert {scene["name"] for scene in outcome["scenes"]} == set(SCENES)
    assert all(scene["told"] and not scene["trouble"] for scene in outcome["scenes"])


def test_a_file_with_bad_rows_is_played_as_far_as_it_is_good(platform: Any, tmp_path: Path) -> None:
    file = tmp_path / "complaints.csv"
    file.write_text(FILE, encoding="gbk")
    mapping = ["--map", "subject=Complaint", "--map", "channel=Via", "--map", "region=Where"]
    done = platform.run_anew("demo", "--no-scenes", "--input", str(file), *mapping, "--json", patience=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = _figures(done)
    assert [(row["line"], row["code"]) for row in outcome["bad_rows"]] == [(3, "empty_text"), (5, "channel_unknown")]
    assert outcome["accepted"] >= 3
    assert outcome["accepted"] == outcome["archived"]


def _figures(done: Any) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(done.stdout)
    assert figures["clean"] is True
    assert figures["unfinished"] == figures["troubles"] == figures["findings"] == []
    return figures

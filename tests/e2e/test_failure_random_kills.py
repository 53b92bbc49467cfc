"""Half a minute of SIGKILL at random moments to every kind of process, while thirty cases go round: nothing is lost."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time

import pytest
from acting import Cast
from bustraffic import assert_published_once
from insistence import Crowd

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SEED = 20251122
SECONDS = 30.0
CASES = 30
VICTIMS = ("intake", "dispatch", "complaints", "records", "gateway", "nats", "postgres")


def test_thirty_cases_survive_half_a_minute_of_kills(platform, cast: Cast) -> None:
    for _ in range(CASES // 4 + 1):
        cast.engineer()
    crowd = Crowd(cast, patience=300)
    case_ids: list[str] = []

    def play_thirty() -> None:
        case_ids.extend(crowd.all_at_once(_open_and_play, range(CASES)))

    def _open_and_play(_number: int) -> str:
        case_id = crowd.open_case()
        crowd.play(case_id)
        return case_id

    playing = threading.Thread(target=play_thirty)
    playing.start()
    killed = _kill_at_random(platform, SECONDS)
    for name in VICTIMS:
        platform.until_healthy(name)
    playing.join()
    assert len(set(case_ids)) == CASES, f"not every case came round; killed: {killed}; answers: {crowd.troubles}"
    platform.assert_nothing_fell_out(wait=90)
    assert_published_once(platform)


def _kill_at_random(platform, seconds: float) -> list[str]:
    """Kills one process after the other, everybody's turn in every round, until all have died; gives who did."""
    chance = random.Random(SEED)
    killed: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or set(killed) < set(VICTIMS):
        for name in chance.sample(VICTIMS, len(VICTIMS)):
            pause = chance.uniform(0.5, 4)
            with contextlib.suppress(ProcessLookupError, TypeError):  # it is being started at this moment
                os.kill(platform.process(name)["pid"], signal.SIGKILL)
                killed.append(name)
            time.sleep(pause)
    return killed

"""PostgreSQL is restarted, and killed, under load: callers are told to try again, and every 201 is there afterwards."""

from __future__ import annotations

import threading

import pytest
from acting import APP, ONLOOKER, Cast
from insistence import CROWD, Crowd

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("blow", ["restart", "kill"])
def test_every_case_that_was_answered_exists(platform, cast: Cast, blow: str) -> None:
    crowd = Crowd(cast)
    over = threading.Event()

    def keep_opening(_person: int) -> list[str]:
        """Opens case after case until it is over; `Crowd` accepts no error but "unavailable"."""
        opened = []
        while not over.is_set():
            opened.append(crowd.open_case())
        return opened

    accepted: list[list[str]] = []
    load = threading.Thread(target=lambda: accepted.extend(crowd.all_at_once(keep_opening, range(CROWD))))
    load.start()
    getattr(platform, blow)("postgres")
    platform.until_healthy("postgres")
    after = crowd.open_case()
    over.set()
    load.join()
    case_ids = [case_id for person in accepted for case_id in person]
    assert len(accepted) == CROWD, "nobody was told anything but that they should try again"
    assert len(set(case_ids)) == len(case_ids) >= CROWD
    for case_id in [*case_ids, after]:
        assert cast.get(ONLOOKER, f"/v1/cases/{case_id}")["case_id"] == case_id
    crowd.all_at_once(
        lambda case_id: cast.do(APP, f"/v1/cases/{case_id}:withdraw", {"reason": "only a test"}), [*case_ids, after]
    )
    platform.assert_nothing_fell_out(wait=60)

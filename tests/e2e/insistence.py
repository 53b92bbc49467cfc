"""People who go on while parts of the platform die and come back: they try again, look again, and lose nothing.

What they may be answered meanwhile is little: done, "unavailable" (503), or that somebody was faster. Anything else
fails the test.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
from acting import APP, DESK, DISPATCHER, ONLOOKER, REPORT, Cast

CROWD = 8
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 0.8
# Answers that say: the same step was done already (the answer of the first try was lost), or the case has moved.
OVERTAKEN = frozenset({"stale_version", "transition_forbidden", "not_yours"})


class Crowd:
    """Many people at once, in the place of one test."""

    def __init__(self, cast: Cast, *, patience: float = 120.0) -> None:
        self.cast = cast
        self.patience = patience
        # Every answer that was no success, by status and code; "0" stands for no answer at all.
        self.troubles: Counter[tuple[int, str]] = Counter()
        for user in (APP, DESK, DISPATCHER, ONLOOKER):  # nobody signs in while the gateway dies
            cast.platform.token(user)

    # --- one person --------------------------------------------------------------------------------------------------

    def open_case(self) -> str:
        """Sends one request until it is accepted, each time with the same key; gives the id of the case."""
        request, key = self.cast.request(), str(uuid4())
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            answer = self._try(APP, "/v1/cases", request, key=key)
            if answer is not None:
                return str(answer["case"]["case_id"])
        raise AssertionError(f"nobody accepted the request: {self.troubles}")

    def play(self, case_id: str) -> None:
        """Does whatever the case needs next until it is archived."""
        deadline = time.monotonic() + self.patience
        seen, pause = 0, PAUSE_SECONDS
        while True:
            case = self._try(ONLOOKER, f"/v1/cases/{case_id}")
            if case is not None:
                if case["stage"] == "CASE_STAGE_ARCHIVED":
                    return
                self._move_on(case)
                # A crowd that looks again and again at what stands still would take the time of those who move it.
                pause = PAUSE_SECONDS if case["version"] != seen else min(2 * pause, LONGEST_PAUSE_SECONDS)
                seen = case["version"]
            assert time.monotonic() < deadline, f"{case_id} never came round: {case} {self.troubles}"
            time.sleep(pause)

    def _move_on(self, case: Any) -> None:
        match case["stage"]:
            case "CASE_STAGE_ACCEPTED":
                classification = case["proposed"]["classification"]
                visit = {"needs_visit": True, "skill": self.cast.place.skill, "level": "junior"}
                self._step(case, DESK, "assess", classification=classification, **visit)
            case "CASE_STAGE_ASSIGNED" | "CASE_STAGE_HANDLING":
                self._move_visit(case["work_order_id"])
            case "CASE_STAGE_DELIVERED":
                self._step(case, APP, "confirm", solved=True)
            case "CASE_STAGE_CONFIRMED":
                self._step(case, DESK, "followUp", note="OK", reached=True)

    def _move_visit(self, order_id: str) -> None:
        order = self._try(ONLOOKER, f"/v1/work-orders/{order_id}")
        steps: dict[str, tuple[str, dict[str, Any]]] = {
            "WORK_ORDER_STATE_ASSIGNED": ("accept", {}),
            "WORK_ORDER_STATE_ACCEPTED": ("arrive", {}),
            "WORK_ORDER_STATE_ON_SITE": ("complete", {"report": REPORT}),
        }
        if order is not None and order["state"] in steps:
            verb, body = steps[order["state"]]
            self._try(DISPATCHER, f"/v1/work-orders/{order_id}:{verb}", body, version=order["version"])

    def _step(self, case: Any, user: str, verb: str, **body: Any) -> None:
        self._try(user, f"/v1/cases/{case['case_id']}:{verb}", body, version=case["version"])

    def _try(self, user: str, path: str, body: dict[str, Any] | None = None, *, key: str = "", version: int = 0) -> Any:
        """The answer's content, or None after a trouble that passes by itself."""
        try:
            answer = self.cast.ask(user, path, body, key=key, version=version)
        except httpx.TransportError as gone:
            self.troubles[0, type(gone).__name__] += 1
            time.sleep(PAUSE_SECONDS)
            return None
        if answer.is_success:
            return answer.json()
        code = answer.json()["code"]
        self.troubles[answer.status_code, code] += 1
        assert (answer.status_code, code) == (503, "unavailable") or code in OVERTAKEN, answer.text
        time.sleep(PAUSE_SECONDS)
        return None

    # --- many --------------------------------------------------------------------------------------------------------

    def open_cases(self, count: int) -> list[str]:
        return self.all_at_once(lambda _: self.open_case(), range(count))

    def play_all(self, case_ids: Iterable[str]) -> None:
        self.all_at_once(self.play, case_ids)

    def all_at_once(self, deed: Callable[[Any], Any], things: Iterable[Any], people: int = CROWD) -> list[Any]:
        """Does `deed` with each thing, `people` at a time; the first failure is raised."""
        with ThreadPoolExecutor(people) as pool:
            return list(pool.map(deed, things))

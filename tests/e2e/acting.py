"""The people of the stories, acting through the gateway as app, desk, dispatcher and engineer do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

# The desk and the dispatcher of the whole country: stories may play anywhere.
DESK = "duty"
DISPATCHER = "dispatcher"
SUPERVISOR = "supervisor"
APP = "channel-app"
HOTLINE = "agent"
# Who may read everything.
ONLOOKER = "auditor"

QUALIFIED_FOR = timedelta(days=3650)
# How often somebody looks again when a clock or an event was a moment faster than they.
LOOKS = 5
REPORT = {
    "found": "Optical modem without light",
    "done": "Modem replaced, line measured",
    "parts": [{"part": "modem", "quantity": 1}],
    "readings": [{"name": "optical_power", "value": -19.5, "unit": "dBm"}],
}


@dataclass(frozen=True)
class Place:
    """A region and a skill that no other test uses, so that its engineers are its own."""

    region: str
    skill: str


@dataclass(frozen=True)
class Engineer:
    engineer_id: str
    user_id: str


class Cast:
    """Everybody who acts in one test, in a place of their own."""

    def __init__(self, platform: Any, place: Place) -> None:
        self.platform = platform
        self.place = place
        self._clients: dict[tuple[str, str], httpx.Client] = {}
        self._engineers: list[Engineer] = []

    # --- calls -------------------------------------------------------------------------------------------------------

    def ask(
        self,
        user: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        version: int = 0,
        language: str = "en",
    ) -> httpx.Response:
        """POSTs `body`, or GETs without one, and gives the answer whatever it is."""
        client = self._client(user, language)
        if body is None:
            return client.get(path)
        headers = ({"Idempotency-Key": key} if key else {}) | ({"If-Match": f'"{version}"'} if version else {})
        return client.post(path, json=body, headers=headers)

    def get(self, user: str, path: str, *, language: str = "en") -> Any:
        answer = self.ask(user, path, language=language)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, user: str, path: str, body: Mapping[str, Any], *, key: str = "", version: int = 0) -> Any:
        answer = self.ask(user, path, body, key=key, version=version)
        assert answer.is_success, f"{user} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def do_as_seen(self, user: str, path: str, body: Mapping[str, Any], look: Callable[[], Any]) -> Any:
        """The same with the version that `look` shows. Clocks and events go on between the look and the deed: whoever
        is told that they saw what is no longer so looks again, as people do."""
        for _ in range(LOOKS):
            answer = self.ask(user, path, body, version=look()["version"])
            if answer.status_code != httpx.codes.PRECONDITION_FAILED:
                break
        assert answer.is_success, f"{user} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def _client(self, user: str, language: str) -> httpx.Client:
        if (user, language) not in self._clients:
            self._clients[user, language] = self.platform.client(user, language)
        return self._clients[user, language]

    # --- what a story begins with ------------------------------------------------------------------------------------

    def engineer(self, user_id: str = "", *, level: str = "junior", on_shift: bool = True) -> Engineer:
        """A new engineer of this place. Without a user id it is one whose steps the dispatcher enters."""
        user_id = user_id or f"engineer-{uuid4()}"
        registered = self.do(
            DISPATCHER,
            "/v1/engineers",
            {
                "display_name": f"GZ-{user_id[-4:]}",
                "user_id": user_id,
                "territory": self.place.region,
                "qualifications": [
                    {
                        "skill": self.place.skill,
                        "level": level,
                        "valid_until": (datetime.now(UTC) + QUALIFIED_FOR).isoformat(),
                    }
                ],
            },
        )
        engineer = Engineer(registered["engineer_id"], user_id)
        self._engineers.append(engineer)
        if on_shift:
            self._set_shift(engineer, on_shift=True)
        return engineer

    def go_home(self) -> None:
        """The story is over: its engineers take no work of others, and its crowds are no outage for others."""
        self.call_off_outages()
        for engineer in self._engineers:
            self._set_shift(engineer, on_shift=False)

    def call_off_outages(self) -> None:
        """Dismisses incidents here that nobody has answered: a crowd that reports faults is a mass outage (INT-15)."""
        left = f"/v1/incidents?region={self.place.region}&state=INCIDENT_STATE_REPORTED"
        for incident in self.get(ONLOOKER, left)["incidents"]:
            self.do(SUPERVISOR, f"/v1/incidents/{incident['incident_id']}:dismiss", {"reason": "only a test"})

    def _set_shift(self, engineer: Engineer, *, on_shift: bool) -> None:
        self.do(DISPATCHER, f"/v1/engineers/{engineer.engineer_id}:setShift", {"on_shift": on_shift})

    def report(self, **said: Any) -> Story:
        """A customer whom nobody knew yet reports a fault by app; `said` changes the request."""
        return Story(self, self.do(APP, "/v1/cases", self.request(**said))["case"]["case_id"])

    def request(self, **said: Any) -> dict[str, Any]:
        """What an app sends to open a case for a new customer."""
        return {
            "channel": "app",
            "caller": {"name": "王小明", "phone": new_phone(), "identity_check": "IDENTITY_CHECK_TOKEN"},
            "region": self.place.region,
            "subject": "宽带无法上网",
            "description": "光猫红灯闪烁，从昨晚开始断网。",
            **said,
        }

    def story(self, case_id: str) -> Story:
        return Story(self, case_id)


@dataclass
class Story:
    """One case and the steps that people take with it; each step sends the version that was last seen."""

    cast: Cast
    case_id: str
    # Taken from the case when it is first looked at.
    number: str = field(init=False)

    def __post_init__(self) -> None:
        self.number = self.look()["case_number"]

    # --- looking -----------------------------------------------------------------------------------------------------

    def look(self) -> Any:
        """The case as it is now."""
        return self.cast.get(ONLOOKER, f"/v1/cases/{self.case_id}")

    def progress(self, user: str = APP, language: str = "en") -> Any:
        return self.cast.get(user, f"/v1/cases/{self.case_id}/progress", language=language)

    def history(self) -> list[Any]:
        return self.cast.get(ONLOOKER, f"/v1/cases/{self.case_id}/history")["entries"]

    def happened(self) -> list[str]:
        return [entry["happened"] for entry in self.history()]

    def order(self) -> Any:
        """The work order that the case waits for."""
        return self.cast.get(ONLOOKER, f"/v1/work-orders/{self.look()['work_order_id']}")

    def record(self, user: str = "archivist") -> Any:
        return self.cast.get(user, f"/v1/records/{self.case_id}")

    def events(self) -> list[str]:
        """What was told on the bus about the case, in order, without the leading `bihuan.`."""
        told = self.cast.platform.run("events", "--case", self.case_id, "--last", "0", "--json")
        assert told.returncode == 0, told.stderr
        return [json.loads(line)["subject"].removeprefix("bihuan.") for line in told.stdout.splitlines()]

    def events_until(self, last: str) -> list[str]:
        """The same once `last` has been told: the bus gets an event some time after the commit."""

        def look() -> list[str] | None:
            told = self.events()
            return told if last in told else None

        return self.cast.platform.eventually(look, f"case {self.number}: {last} was never told")

    def until(self, stage: str, patience: float = 60.0) -> Any:
        """The case once it stands in `stage`; short for `CASE_STAGE_…`."""
        return self.until_case(lambda case: case["stage"] == f"CASE_STAGE_{stage.upper()}", f"never {stage}", patience)

    def until_case(self, fulfilled: Any, complaint: str, patience: float = 60.0) -> Any:
        def look() -> Any:
            case = self.look()
            return case if fulfilled(case) else None

        return self.cast.platform.eventually(look, f"case {self.number}: {complaint}", patience)

    def until_order(self, state: str, patience: float = 60.0) -> Any:
        """The work order once it is in `state`; short for `WORK_ORDER_STATE_…`."""

        def look() -> Any:
            order_id = self.look()["work_order_id"]
            answer = self.cast.ask(ONLOOKER, f"/v1/work-orders/{order_id}")
            order = answer.json()
            return order if answer.is_success and order["state"] == f"WORK_ORDER_STATE_{state.upper()}" else None

        return self.cast.platform.eventually(look, f"the visit of {self.number} was never {state}", patience)

    # --- at the desk -------------------------------------------------------------------------------------------------

    def step(self, user: str, verb: str, **body: Any) -> Any:
        """`user` does `verb` with the case as it is now."""
        return self.cast.do_as_seen(user, f"/v1/cases/{self.case_id}:{verb}", body, self.look)

    def assess(self, *, visit: bool, user: str = DESK, note: str = "", **verdict: str) -> Any:
        """Confirms the proposal unless `verdict` says otherwise; a visit needs the skill of this place."""
        proposed = self.look()["proposed"]["classification"]
        needs = {"needs_visit": True, "skill": self.cast.place.skill, "level": "junior"} if visit else {}
        return self.step(user, "assess", classification={**proposed, **verdict}, note=note, **needs)

    def follow_up(self, user: str = DESK) -> Any:
        return self.step(user, "followUp", note="客户满意", reached=True)

    # --- the customer ------------------------------------------------------------------------------------------------

    def confirm(self, *, solved: bool = True, comment: str = "") -> Any:
        return self.step(APP, "confirm", solved=solved, comment=comment)

    def rate(self, score: int, comment: str = "") -> Any:
        body = {"score": score, "comment": comment}
        return self.cast.do(APP, f"/v1/cases/{self.case_id}:answerSurvey", body)

    # --- the engineer ------------------------------------------------------------------------------------------------

    def visit_step(self, verb: str, user: str = DISPATCHER, **body: Any) -> Any:
        path = f"/v1/work-orders/{self.look()['work_order_id']}:{verb}"
        return self.cast.do_as_seen(user, path, body, self.order)

    def visit(self, user: str = DISPATCHER) -> Any:
        """The engineer comes and repairs it; gives the case once its result is delivered."""
        self.until_order("assigned")
        for verb in ("accept", "startTravel", "arrive"):
            self.visit_step(verb, user)
        return self.complete_visit(user)

    def complete_visit(self, user: str = DISPATCHER) -> Any:
        """The work on site is done; gives the case once its result is delivered."""
        self.visit_step("complete", user, report=REPORT)
        return self.until("delivered")

    # --- the rest of a life ------------------------------------------------------------------------------------------

    def finish(self) -> Any:
        """From the delivered result to the archive, with a satisfied customer."""
        self.confirm()
        self.follow_up()
        return self.until("archived")


def new_phone() -> str:
    """The number of somebody whom the platform does not know."""
    return f"+86{uuid4().int % 10**11:011d}"


def clocks_of(message: Mapping[str, Any]) -> dict[str, str]:
    """State by name of the newest clocks, in lower case without prefix."""
    clocks: Sequence[Any] = sorted(message["clocks"], key=lambda clock: clock["started_at"])
    return {clock["name"]: clock["state"].removeprefix("CLOCK_STATE_").lower() for clock in clocks}

"""The people of an outage: many customers at once, whoever commands, and the network's own monitoring."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from acting import APP, DISPATCHER, ONLOOKER, SUPERVISOR, Cast, Story

MONITORING = "channel-monitoring"
# As many clients at a time as an app's gateway has connections.
CROWD = 16


class Outage:
    """One incident and the steps that people take with it."""

    def __init__(self, cast: Cast, incident_id: str) -> None:
        self.cast = cast
        self.incident_id = incident_id

    def look(self) -> Any:
        return self.cast.get(ONLOOKER, f"/v1/incidents/{self.incident_id}")

    def history(self) -> list[Any]:
        return self.cast.get(ONLOOKER, f"/v1/incidents/{self.incident_id}/history")["entries"]

    def escalations(self) -> list[tuple[str, str]]:
        """Level and commander of each, oldest first."""
        return [
            (entry["details"]["level"], entry["details"]["commander"])
            for entry in self.history()
            if entry["happened"] == "incident_escalated"
        ]

    def step(self, user: str, verb: str, **body: Any) -> Any:
        return self.cast.do_as_seen(user, f"/v1/incidents/{self.incident_id}:{verb}", body, self.look)

    def attached(self) -> set[str]:
        """Ids of the cases that wait for it or were solved with it."""
        listed = self.cast.get(ONLOOKER, f"/v1/cases?incident_id={self.incident_id}&page_size=200")
        return {case["case_id"] for case in listed["cases"]}

    def until_attached(self, case_ids: set[str]) -> None:
        self.cast.platform.eventually(lambda: self.attached() >= case_ids, "not every case was attached", 60)

    def until_level(self, level: int) -> None:
        self.cast.platform.eventually(lambda: self.look()["level"] == level, f"level {level} was never told", 60)

    def repair(self, restoration: str) -> None:
        """From whoever takes command to the restored service."""
        if state_of(self.look()) == "reported":
            self.step(SUPERVISOR, "acknowledge")
        self.step(DISPATCHER, "analyse", finding="OLT 主控板故障")
        self.step(DISPATCHER, "isolate")
        self.step(DISPATCHER, "restore", restoration=restoration)


def all_report(cast: Cast, count: int, **said: Any) -> list[str]:
    """So many customers report the same fault at once; gives their cases."""
    cast.ask(APP, "/v1/cases?page_size=1")  # the client is made once, before the crowd uses it

    def report(_number: int) -> str:
        return str(cast.do(APP, "/v1/cases", cast.request(**said))["case"]["case_id"])

    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(report, range(count)))


def all_at_once(deed: Any, things: Any) -> None:
    """Does it with each of them; the first failure is raised."""
    with ThreadPoolExecutor(CROWD) as pool:
        list(pool.map(deed, things))


def incidents_of(cast: Cast, region: str) -> list[Any]:
    """The incidents of a region, newest first."""
    return cast.get(ONLOOKER, f"/v1/incidents?region={region}")["incidents"]


def until_incident(cast: Cast, story: Story) -> Outage:
    """The incident that a case is attached to."""
    return Outage(cast, story.until_case(lambda case: case["incident_id"], "never attached")["incident_id"])


def alarm(cast: Cast, severity: str, *, name: str = "", **said: Any) -> Any:
    """The monitoring system reports an alarm of this place."""
    now = datetime.now(UTC).isoformat()
    body = {
        "source_system_id": "nms-e2e",
        "external_alarm_id": name or str(uuid4()),
        "alarm_type": "Equipment Alarm",
        "perceived_severity": severity,
        "probable_cause": "powerProblem",
        "specific_problem": "OLT 主控板失电",
        "alarmed_object": {"id": "OLT-07"},
        "affected_service": [{"id": "internet_access"}],
        "place": {"id": cast.place.region},
        "alarm_raised_time": now,
        **said,
    }
    return cast.do(MONITORING, "/v1/alarms:report", body)


def state_of(incident: Any) -> str:
    return str(incident["state"]).removeprefix("INCIDENT_STATE_").lower()


def told(story: Story) -> list[str]:
    """Notices that the customer got of our own accord, oldest first."""
    return [entry["details"]["notice"] for entry in story.history() if entry["happened"] == "customer_told"]

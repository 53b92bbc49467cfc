"""The people of the complaint stories, acting through the gateway as customer channel, handler and leader do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from acting import DESK, ONLOOKER, SUPERVISOR, Cast, new_phone

WEB = "channel-web"
HANDLER = "complaint"
QUALITY = "quality"


@dataclass
class Grievance:
    """One complaint and the steps that people take with it; each step sends the version that was last seen."""

    cast: Cast
    complaint_id: str
    number: str = field(init=False)

    def __post_init__(self) -> None:
        self.number = self.look()["complaint_number"]

    @classmethod
    def by_web(cls, cast: Cast, subject: str, description: str = "", **said: Any) -> Grievance:
        """A customer whom nobody complained for yet complains on the website."""
        customer = cast.do(DESK, "/v1/customers", {"name": "王小明", "phone": new_phone(), "region": cast.place.region})
        request = {
            "customer_id": customer["customer_id"],
            "channel": "web",
            "region": cast.place.region,
            "category": "internet_access",
            "subject": subject,
            "description": description,
            **said,
        }
        return cls(cast, cast.do(WEB, "/v1/complaints", request)["complaint_id"])

    # --- looking -----------------------------------------------------------------------------------------------------

    def look(self, user: str = HANDLER) -> Any:
        return self.cast.get(user, f"/v1/complaints/{self.complaint_id}")

    def history(self) -> list[str]:
        entries = self.cast.get(ONLOOKER, f"/v1/complaints/{self.complaint_id}/history")["entries"]
        return [entry["happened"] for entry in entries]

    def clocks(self) -> dict[str, str]:
        """State of each clock, the newest of a name."""
        states = {clock["name"]: clock["state"] for clock in self.look()["clocks"]}
        return {name: state.removeprefix("CLOCK_STATE_").lower() for name, state in states.items()}

    def record(self) -> Any:
        return self.cast.get("archivist", f"/v1/records/{self.complaint_id}")

    def messages(self, *, commands: bool = False) -> list[Any]:
        """What was told or asked on the bus about the complaint, in order."""
        words = ["events", *(["--commands"] if commands else []), "--case", self.complaint_id, "--last", "0", "--json"]
        told = self.cast.platform.run(*words)
        assert told.returncode == 0, told.stderr
        return [json.loads(line) for line in told.stdout.splitlines()]

    def events(self) -> list[str]:
        """Subjects without the leading `bihuan.`."""
        return [message["subject"].removeprefix("bihuan.") for message in self.messages()]

    def until(self, fulfilled: Any, what: str, patience: float = 60.0) -> Any:
        def look() -> Any:
            complaint = self.look()
            return complaint if fulfilled(complaint) else None

        return self.cast.platform.eventually(look, f"complaint {self.number}: {what}", patience)

    def until_archived(self) -> Any:
        return self.until(lambda complaint: stage_of(complaint) == "archived", "never archived")

    # --- acting ------------------------------------------------------------------------------------------------------

    def step(self, user: str, verb: str, **body: Any) -> Any:
        """`user` does `verb` with the complaint as it is now."""
        return self.cast.do_as_seen(user, f"/v1/complaints/{self.complaint_id}:{verb}", body, self.look)

    def add(self, user: str, part: str, **body: Any) -> Any:
        """`user` adds something below the complaint, such as `remedies`."""
        return self.cast.do(user, f"/v1/complaints/{self.complaint_id}/{part}", body)

    def refused(self, user: str, verb: str, **body: Any) -> str:
        """The code with which `verb` is refused."""
        answer = self.cast.ask(user, f"/v1/complaints/{self.complaint_id}:{verb}", body)
        assert not answer.is_success, answer.text
        return str(answer.json()["code"])

    def classify(self, complaint_class: str, severity: str, **more: Any) -> Any:
        return self.step(HANDLER, "classify", complaint_class=complaint_class, severity=severity, **more)

    def handle(self, result: str) -> Any:
        """From the start to the customer who knows the result."""
        self.step(HANDLER, "start")
        return self.finish(result)

    def finish(self, result: str) -> Any:
        self.step(HANDLER, "resolve", result=result)
        return self.step(HANDLER, "feedBack")

    def learn(self, cause: str, **more: Any) -> None:
        """Root cause, and an improvement round the whole PDCA circle."""
        whys = ["为什么投诉？", "为什么发生？", "为什么没有发现？", "为什么没有检查？", "为什么流程没有要求？"]
        self.step(HANDLER, "analyseCause", cause=cause, whys=whys, clause="A2.2.1", **more)
        due = (self.cast.platform.now() + timedelta(days=7)).isoformat()
        plan = {"indicator": "satisfaction", "baseline": 88, "goal": 92, "owner": "quality", "due_at": due}
        planned = self.add(HANDLER, "improvements", action="每季度巡检", **plan)
        improvement = planned["improvements"][-1]["improvement_id"]
        self.improve(HANDLER, improvement, "report", done="已完成首次巡检")
        self.improve(QUALITY, improvement, "verify", measured=93)
        self.improve(QUALITY, improvement, "standardise", standardised_as="process", note="写入巡检流程")

    def improve(self, user: str, improvement: str, verb: str, **body: Any) -> Any:
        return self.add(user, f"improvements/{improvement}:{verb}", **body)

    def close(self, summary: str = "原因已查明，改进已固化。") -> Any:
        self.step(HANDLER, "close", summary=summary)
        return self.until_archived()


def stage_of(complaint: Any) -> str:
    return str(complaint["stage"]).removeprefix("COMPLAINT_STAGE_").lower()


__all__ = ["HANDLER", "QUALITY", "SUPERVISOR", "WEB", "Grievance", "stage_of"]

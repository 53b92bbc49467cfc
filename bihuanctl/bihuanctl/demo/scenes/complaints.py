"""Four complaints: technical, about manners, major, and refused by the customer (CMP-01 to CMP-08)."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Final

from bihuanctl.demo.gateway import Json
from bihuanctl.demo.scenes.ordinary import visit
from bihuanctl.demo.scenes.stage import Stage, new_phone

REGION: Final = "cn.sc.cd"
HANDLER: Final = "complaint"
LEADER: Final = "supervisor"
QUALITY: Final = "quality"
WEB: Final = "channel-web"
# Whom the complaint about manners is about.
AGENT: Final = "agent2"
WHYS: Final = 5


async def play(stage: Stage) -> None:
    await _repeated_outages(stage)
    await _manners(stage)
    await _privacy(stage)
    await _dispute(stage)


class Complaint:
    """One complaint and the steps that people take with it; each sends the version that was last seen."""

    def __init__(self, stage: Stage, seen: Json) -> None:
        self.stage = stage
        self.seen = seen

    @classmethod
    async def by_web(cls, stage: Stage, about: str) -> Complaint:
        """Somebody new complains on the website."""
        person = {"name": stage.line("customer"), "phone": new_phone(), "region": REGION}
        customer = await stage.do("duty", "/v1/customers", person, key=secrets.token_hex(8))
        body = {
            "customer_id": customer["customer_id"],
            "channel": "web",
            "region": REGION,
            "category": "internet_access",
            "subject": stage.line(f"{about}_subject"),
            "description": stage.line(f"{about}_text"),
        }
        return cls(stage, await stage.do(WEB, "/v1/complaints", body, key=secrets.token_hex(8)))

    @property
    def path(self) -> str:
        return f"/v1/complaints/{self.seen['complaint_id']}"

    async def look(self) -> Json:
        self.seen = await self.stage.see(HANDLER, self.path)
        return self.seen

    async def step(self, user: str, verb: str, **body: Any) -> None:
        await self.look()
        self.seen = await self.stage.do(user, f"{self.path}:{verb}", body, version=int(self.seen["version"]))

    async def add(self, user: str, part: str, **body: Any) -> None:
        """Something below the complaint, such as `remedies`."""
        self.seen = await self.stage.do(user, f"{self.path}/{part}", body)

    async def feed_back(self, about: str) -> None:
        await self.step(HANDLER, "resolve", result=self.stage.line(f"{about}_result"))
        await self.step(HANDLER, "feedBack")

    async def learn(self, cause: str, **more: Any) -> None:
        """Root cause, and an improvement round the whole PDCA circle."""
        line = self.stage.line
        whys = [line("why", number=number) for number in range(1, WHYS + 1)]
        await self.step(HANDLER, "analyseCause", cause=cause, whys=whys, clause="A2.2.1", **more)
        due = (self.stage.pace.now() + timedelta(days=7)).isoformat()
        plan = {"indicator": "satisfaction", "baseline": 88, "goal": 92, "owner": QUALITY, "due_at": due}
        await self.add(HANDLER, "improvements", action=line("plan"), **plan)
        improvement = f"improvements/{self.seen['improvements'][-1]['improvement_id']}"
        await self.add(HANDLER, f"{improvement}:report", done=line("done"))
        await self.add(QUALITY, f"{improvement}:verify", measured=93)
        await self.add(QUALITY, f"{improvement}:standardise", standardised_as="process", note=line("standard"))

    async def close(self) -> Json:
        """Closed with a summary; gives the complaint once its record is filed."""
        await self.step(HANDLER, "close", summary=self.stage.line("summary"))

        async def archived() -> Json | None:
            complaint = await self.look()
            return complaint if complaint["stage"] == "COMPLAINT_STAGE_ARCHIVED" else None

        return await self.stage.until(archived, self.stage.line("never_archived"))


async def _repeated_outages(stage: Stage) -> None:
    """Technical: the bus is asked for an engineer, and nobody waits for the answer."""
    complaint = await Complaint.by_web(stage, "outage")
    facts = {"number": complaint.seen["complaint_number"], "owner": complaint.seen["owner"]}
    stage.say("registered", clocks=len(complaint.seen["clocks"]), **facts)
    await complaint.step(HANDLER, "classify", complaint_class="technical_problem", severity="medium")
    await complaint.step(HANDLER, "start")
    await complaint.add(HANDLER, "investigations", skill="fiber_splicing", level="junior")
    work_order_id = complaint.seen["investigations"][0]["work_order_id"]

    async def assigned() -> bool:
        orders = stage.gateway.pages(
            stage.cast.auditor, "/v1/work-orders", "work_orders", state="WORK_ORDER_STATE_ASSIGNED"
        )
        return any([order["work_order_id"] == work_order_id async for order in orders])

    async def found() -> bool:
        return bool((await complaint.look())["investigations"][0]["state"] == "INVESTIGATION_STATE_DONE")

    await stage.until(assigned, stage.line("never_assigned"))
    await visit(stage, work_order_id)
    await stage.until(found, stage.line("never_found"))
    stage.say("investigated")
    await complaint.add(HANDLER, "remedies", kind="refund", amount=100)
    await complaint.feed_back("outage")
    await complaint.step(WEB, "answer", answer="RESULT_ANSWER_ACCEPTED", score=5)
    await complaint.learn("line_ageing", work_order_ids=[work_order_id])
    stage.say("learned", measured=complaint.seen["improvements"][-1]["measured"])
    archived = await complaint.close()
    stage.prove(bool(archived["record_id"]), "filed")


async def _manners(stage: Stage) -> None:
    """The agent concerned is assigned training."""
    complaint = await Complaint.by_web(stage, "manners")
    concerned = {"complaint_class": "service_attitude", "severity": "minor", "person_concerned": AGENT}
    await complaint.step(HANDLER, "classify", **concerned)

    async def assignment() -> Json | None:
        listed = stage.gateway.pages(
            stage.cast.named("trainer"), "/v1/training-assignments", "assignments", person=AGENT
        )
        found = [each async for each in listed if each["source_id"] == complaint.seen["complaint_id"]]
        return found[0] if found else None

    assigned = await stage.until(assignment, stage.line("never_trained"))
    stage.say("trained", person=AGENT, topic=assigned["course_topic"])
    await complaint.step(HANDLER, "start")
    await complaint.feed_back("manners")
    await complaint.step(HANDLER, "answer", answer="RESULT_ANSWER_NONE")
    await complaint.learn("poor_manners", people=[AGENT])
    await complaint.close()


async def _privacy(stage: Stage) -> None:
    """Major: a leader is named and told at once."""
    complaint = await Complaint.by_web(stage, "privacy")
    await complaint.step(HANDLER, "classify", complaint_class="service_quality", severity="major")
    stage.prove(complaint.seen["leader"] == LEADER, "alerted", leader=complaint.seen["leader"])
    await complaint.step(LEADER, "takeLead")
    await complaint.step(HANDLER, "start")
    await complaint.feed_back("privacy")
    await complaint.step(WEB, "answer", answer="RESULT_ANSWER_ACCEPTED", score=3)
    await complaint.learn("data_disclosed")
    await complaint.close()


async def _dispute(stage: Stage) -> None:
    """The customer refuses the result, it is handled again, and settled in mediation."""
    complaint = await Complaint.by_web(stage, "dispute")
    await complaint.step(HANDLER, "classify", complaint_class="other", severity="medium")
    await complaint.step(HANDLER, "start")
    await complaint.feed_back("dispute")
    await complaint.step(WEB, "answer", answer="RESULT_ANSWER_REJECTED", score=1)
    await complaint.feed_back("dispute")
    await complaint.step(WEB, "dispute", claim=stage.line("claim"))
    await complaint.step(HANDLER, "settleDispute", settlement=stage.line("settlement"))
    await complaint.learn("process_missing")
    archived = await complaint.close()
    stage.prove([each["stage"] for each in archived["dispute"]] == ["mediation"], "settled")

"""What everything so far comes to; a city is badly served: alert, improvement, report (QLT-01 to QLT-03, QLT-08)."""

from __future__ import annotations

from typing import Final

from bihuanctl.demo.gateway import Json
from bihuanctl.demo.scenes.stage import Stage

CITY: Final = "cn.sc.cd"
MANAGER: Final = "quality"
INDICATOR: Final = "satisfaction"
# As many as make a figure worth an alert.
CUSTOMERS: Final = 5


async def play(stage: Stage) -> None:
    measured = await _figures(stage)
    stage.say("measured", count=sum(int(figure["sample"]) > 0 for figure in measured.values()), of=len(measured))
    for name in ("fault_response_in_time", INDICATOR, "complaint_timely_handling"):
        figure = measured[name]
        if "value" in figure:
            stage.say(name, value=figure["value"], sample=figure["sample"])
    for _ in range(CUSTOMERS):
        await _disappoint(stage)
    alert = await stage.until(lambda: _breach(stage), stage.line("never_alerted"))
    stage.say("alerted", region=alert["region"], value=alert["value"], sample=alert["sample"])
    improvement = await stage.see(MANAGER, f"/v1/improvements/{alert['improvement_id']}")
    linked = improvement["alert_id"] == alert["alert_id"]
    stage.prove(linked, "improves", owner=improvement["improvement"]["owner"])
    report = await stage.do(MANAGER, "/v1/quality-reports:make", {"period": measured[INDICATOR]["period"]})
    reported = {line["indicator"]["name"]: line["figure"] for line in report["lines"]}
    whole = reported.keys() == measured.keys() and "value" in reported[INDICATOR]
    stage.prove(whole, "reported", period=report["period"], standards=report["standards_version"])


async def _figures(stage: Stage) -> dict[str, Json]:
    """This month's, by indicator."""
    answer = await stage.see(MANAGER, "/v1/indicator-figures")
    return {figure["indicator"]: figure for figure in answer["figures"]}


async def _disappoint(stage: Stage) -> None:
    """A customer is served at the desk, and rates it with the lowest score."""
    case = await stage.report(CITY, stage.line("subject"), stage.line("description"))
    path = f"/v1/cases/{case['case_id']}"
    verdict = {"classification": case["proposed"]["classification"], "needs_visit": False}
    for user, verb, body in (
        ("duty", "assess", verdict),
        ("duty", "startHandling", {}),
        ("duty", "deliver", {"result": stage.line("result")}),
        ("channel-app", "answerSurvey", {"score": 1}),
        ("channel-app", "confirm", {"solved": True}),
        ("supervisor", "followUp", {"note": stage.line("apology"), "reached": True}),
    ):
        seen = await stage.see("auditor", path)
        # Everybody answers once, whatever has become of the case meanwhile.
        version = 0 if verb == "answerSurvey" else int(seen["version"])
        await stage.do(user, f"{path}:{verb}", body, version=version)


async def _breach(stage: Stage) -> Json | None:
    """The open alert of the city, once complaints has taken up its improvement."""
    answer = await stage.see(MANAGER, "/v1/quality-alerts", only_open="true", indicator=INDICATOR, region=CITY)
    return next((alert for alert in answer["alerts"] if alert["improvement_state"]), None)

"""Incidents on a real database: opened once, climbing by themselves, ended by people (DSP-06, DSP-07, INT-15)."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from bihuan.dispatch.v1 import alarms_pb2, events_pb2, incident_events_pb2, incidents_pb2
from dispatch.alarms.commands import report_alarm
from dispatch.clocks import build_clocks
from dispatch.incidents import commands, queries, store
from dispatch.incidents.incident import State
from dispatch.incidents.opening import open_for_reports
from dispatch.work_orders.creation import cancel_work_order
from servicekit.deadlines.firing import Firing
from servicekit.errors import Fault
from servicekit.identity import Principal

from standards import load

TIANHE = "cn.gd.gz.tianhe"
COMMANDER = Principal("supervisor.gz", frozenset({"supervisor"}), "cn.gd.gz")
MONITOR = Principal("channel-monitoring", frozenset({"monitoring"}), "cn")


class Centre:
    """What people, intake and monitoring systems do about incidents, each in a transaction of its own."""

    def __init__(self, depot) -> None:
        self.depot = depot
        self.firing = Firing(depot.database, build_clocks(depot.placement, depot.ladder))

    async def ask(self, *, region=TIANHE, categories=("internet_access",), incident_id=None) -> str:
        """Intake asks for an incident; gives its id."""
        wanted = incident_events_pb2.OpenIncident(
            incident_id=incident_id or str(uuid4()), region=region, categories=categories, reports=40
        )
        wanted.reported_since.FromDatetime(self.depot.clock.now() - timedelta(minutes=5))
        async with self.depot.database.transaction("open") as tx:
            await open_for_reports(tx, wanted, self.depot.placement.policy, self.depot.ladder)
        return wanted.incident_id

    async def alarm(
        self, severity="critical", *, minutes=0, kind="Equipment Alarm", place=TIANHE, by=MONITOR, **changes
    ):
        request = alarms_pb2.ReportAlarmRequest(
            source_system_id="nms-gz",
            external_alarm_id="A-1",
            alarm_type=kind,
            perceived_severity=severity,
            probable_cause="powerProblem",
            alarmed_object=alarms_pb2.AlarmedObject(id="OLT-TH-07"),
            affected_service=[alarms_pb2.AffectedService(id="internet_access")],
            place=alarms_pb2.AlarmPlace(id=place),
        )
        raised = self.depot.clock.now()
        request.alarm_raised_time.FromDatetime(raised)
        request.alarm_changed_time.FromDatetime(raised + timedelta(minutes=minutes))
        for name, value in changes.items():
            setattr(request, name, value)
        async with self.depot.database.transaction("alarm") as tx:
            return await report_alarm(tx, load(), self.depot.ladder, by, request)

    async def do(self, verb, incident_id, principal=COMMANDER, **body):
        kinds = {"acknowledge": "IncidentStep", "isolate": "IncidentStep"}
        request = getattr(incidents_pb2, f"{kinds.get(verb, f'{verb.capitalize()}Incident')}Request")
        use_case = getattr(commands, f"{verb}_incident")
        async with self.depot.database.transaction(verb) as tx:
            return await use_case(tx, self.depot.ladder, principal, request(incident=str(incident_id), **body))

    async def advance(self, **step) -> None:
        self.depot.clock.advance(timedelta(**step))
        while await self.firing.fire_due():
            pass

    async def incident(self, incident_id):
        async with self.depot.database.transaction("look") as tx:
            return await store.find(tx, str(incident_id))

    async def all(self):
        async with self.depot.database.transaction("list") as tx:
            views = await queries.list_incidents(tx, COMMANDER, state=None, region="", before=None, limit=50)
        return [view.incident for view in views]

    async def told(self, happened: str):
        return [json.loads(body) for body in await self.depot.events(f"dispatch.incident.{happened}")]


@pytest.fixture
def centre(depot) -> Centre:
    return Centre(depot)


async def test_dsp_06_nobody_answers_and_it_climbs_by_itself(centre, depot) -> None:
    incident_id = await centre.ask()
    opened = await centre.incident(incident_id)
    assert (opened.level, opened.commander, opened.reports) == (3, "duty.gz", 40)
    await centre.advance(minutes=119)
    assert await centre.told("escalated") == []
    await centre.advance(minutes=1, seconds=1)
    await centre.advance(minutes=60, seconds=1)
    assert [(each["level"], each["commander"]) for each in await centre.told("escalated")] == [
        (2, "supervisor.gz"),
        (1, "supervisor"),
    ]
    await centre.advance(minutes=15, seconds=1)
    unanswered = await centre.incident(incident_id)
    assert (unanswered.state, unanswered.level) == (State.REPORTED, 1)
    assert len(await centre.told("escalated")) == 2, "above the highest there is nobody"
    assert await depot.problems() == []
    await centre.do("acknowledge", incident_id)
    await centre.advance(hours=5)
    assert len(await centre.told("escalated")) == 2
    assert await depot.problems() == []


async def test_dsp_07_from_the_report_to_the_lessons(centre, depot) -> None:
    incident_id = await centre.ask()
    await centre.do("acknowledge", incident_id)
    await centre.do("analyse", incident_id, finding="OLT card broken")
    await centre.do("isolate", incident_id)
    restored = await centre.do("restore", incident_id, restoration="card replaced")
    assert restored.state == State.RESTORED
    (told,) = await centre.told("restored")
    assert told["restoration"] == "card replaced"
    closed = await centre.do("close", incident_id, lessons="keep spare cards")
    assert (closed.state, closed.lessons) == (State.CLOSED, "keep spare cards")
    assert await depot.problems() == []


async def test_one_region_has_one_incident_however_it_is_asked_for(centre, depot) -> None:
    """INT-15: asked again, asked by two at once, or covered by an alarm already: never two."""
    ids = [str(uuid4()) for _ in range(5)]
    await asyncio.gather(*(centre.ask(incident_id=each) for each in ids))
    (incident,) = await centre.all()
    await centre.ask(incident_id=str(incident.incident_id))
    joined = {each["asked_incident_id"] for each in await centre.told("reports_joined")}
    assert joined == set(ids) - {str(incident.incident_id)}
    assert incident.reports == 40 * len(ids)
    await centre.alarm()
    assert len(await centre.all()) == 1, "the alarm belongs to the same"
    await centre.ask(categories=["mobile"])
    await centre.ask(region="cn.gd.gz.yuexiu")
    assert len(await centre.all()) == 3, "another service, another district"
    assert await depot.problems() == []


async def test_a_worse_alarm_raises_what_nobody_has_answered(centre, depot) -> None:
    incident_id = await centre.ask()
    alarm = await centre.alarm("critical")
    assert str(alarm.incident_id) == incident_id
    raised = await centre.incident(incident_id)
    assert (raised.level, raised.commander) == (1, "supervisor")
    assert await depot.problems() == []


@pytest.mark.parametrize(("severity", "level"), [("Critical", 1), ("major", 2), ("MINOR", 3)])
async def test_dsp_07_the_severity_of_an_alarm_is_the_level_of_its_incident(centre, severity, level) -> None:
    alarm = await centre.alarm(severity, kind="qualityOfServiceAlarm")
    incident = await centre.incident(alarm.incident_id)
    assert (incident.level, incident.kind, incident.source) == (level, "performance", "alarm")


async def test_dsp_07_an_alarm_is_taken_in_once_and_by_its_newest_word(centre, depot) -> None:
    warned = await centre.alarm("warning")
    assert warned.incident_id is None
    assert await centre.all() == [], "it only warns"
    reports = await asyncio.gather(*(centre.alarm("major", minutes=5) for _ in range(4)))
    assert {each.alarm_id for each in reports} == {warned.alarm_id}
    (incident,) = await centre.all()
    late = await centre.alarm("critical", minutes=2)
    assert late.perceived_severity == "major", "an older word changes nothing"
    cleared = await centre.alarm("cleared", minutes=9)
    assert cleared.cleared_at is not None
    assert (await centre.incident(incident.incident_id)).state == State.REPORTED, "people say when service is back"
    assert len(await depot.events("dispatch.alarm.raised")) == 2
    assert len(await depot.events("dispatch.alarm.cleared")) == 1
    again = await centre.alarm("minor", minutes=20)
    assert again.incident_id == incident.incident_id, "raised again, it joins what is going on"
    assert await depot.problems() == []


async def test_an_alarm_belongs_to_its_region_and_another_ones_monitoring_cannot_overwrite_it(centre, depot) -> None:
    known = await centre.alarm("warning")
    elsewhere = Principal("channel-monitoring-sz", frozenset({"monitoring"}), "cn.gd.sz")
    with pytest.raises(Fault, match="domain_forbidden"):
        await centre.alarm("cleared", minutes=5, place="cn.gd.sz.nanshan", by=elsewhere)
    assert await depot.events("dispatch.alarm.cleared") == []
    moved = await centre.alarm("cleared", minutes=5)
    assert (moved.alarm_id, moved.version) == (known.alarm_id, known.version + 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"alarm_type": "weather"}, "alarm_word_unknown"),
        ({"perceived_severity": "awful"}, "alarm_word_unknown"),
    ],
)
async def test_an_alarm_in_unknown_words_is_refused_and_nothing_kept(centre, depot, changes, code) -> None:
    with pytest.raises(Fault, match=code):
        await centre.alarm(**changes)
    with pytest.raises(Fault, match="alarm_time_invalid"):
        await centre.alarm(minutes=-1)
    assert await depot.events("dispatch.alarm") == []


async def test_a_dismissed_incident_stops_its_clocks(centre, depot) -> None:
    incident_id = await centre.ask()
    dismissed = await centre.do("dismiss", incident_id, reason="planned test")
    assert (dismissed.state, dismissed.dismissal) == (State.DISMISSED, "planned test")
    await centre.advance(hours=5)
    assert await centre.told("escalated") == []
    assert await depot.problems() == []
    await centre.ask()
    assert len(await centre.all()) == 2, "what comes later is a new one"


async def test_incidents_are_for_their_region(centre) -> None:
    incident_id = await centre.ask()
    stranger = Principal("supervisor.sz", frozenset({"supervisor"}), "cn.gd.sz")
    with pytest.raises(Fault, match="domain_forbidden"):
        await centre.do("acknowledge", incident_id, stranger)
    with pytest.raises(Fault, match="stale_version"):
        await centre.do("acknowledge", incident_id, expected_version=7)
    with pytest.raises(Fault, match="incident_unknown"):
        await centre.do("acknowledge", uuid4())


async def test_a_visit_on_site_goes_on_where_the_asker_says_so(depot) -> None:
    await depot.hire("li")
    on_site, planned = await depot.create(), await depot.create()
    for verb in ("accept_work_order", "arrive_on_site"):
        await depot.do(verb, on_site)
    for order in (on_site, planned):
        wanted = events_pb2.CancelWorkOrder(work_order_id=order, reason="incident", unless_on_site=True)
        async with depot.database.transaction("cancel") as tx:
            await cancel_work_order(tx, wanted, depot.placement)
    assert (await depot.order(on_site)).state == "on_site"
    assert (await depot.order(planned)).state == "cancelled"

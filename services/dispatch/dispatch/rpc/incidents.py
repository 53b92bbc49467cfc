"""IncidentService and AlarmService (DSP-06, DSP-07)."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import grpc.aio
from bihuan.dispatch.v1 import alarms_pb2, alarms_pb2_grpc, incidents_pb2, incidents_pb2_grpc
from google.protobuf.message import Message
from servicekit.database import Database, UnitOfWork
from servicekit.identity import Principal, caller
from servicekit.rpc.paging import PageToken, narrowed

from dispatch.alarms import commands as alarms
from dispatch.alarms import queries as alarm_queries
from dispatch.incidents import commands, queries
from dispatch.incidents.incident import Incident
from dispatch.incidents.ladder import Ladder
from dispatch.rpc.incident_messages import (
    alarm_message,
    incident_history_message,
    incident_message,
    incident_state_of,
)
from standards import Standards

DEFAULT_PAGE = 50
INCIDENT_LISTING = "incidents"
ALARM_LISTING = "alarms"

Context = grpc.aio.ServicerContext[Any, Any]
Request = TypeVar("Request", bound=Message)
UseCase = Callable[[UnitOfWork, Ladder, Principal, Request], Awaitable[Incident]]


class IncidentServicer(incidents_pb2_grpc.IncidentServiceServicer):
    def __init__(self, database: Database, ladder: Ladder) -> None:
        self._database = database
        self._ladder = ladder

    async def GetIncident(self, request: incidents_pb2.GetIncidentRequest, context: Context) -> incidents_pb2.Incident:
        async with self._database.transaction("get_incident") as tx:
            view = await queries.get_incident(tx, request.incident, caller(context))
        return incident_message(view)

    async def GetIncidentHistory(
        self, request: incidents_pb2.GetIncidentHistoryRequest, context: Context
    ) -> incidents_pb2.GetIncidentHistoryResponse:
        async with self._database.transaction("get_incident_history") as tx:
            rows = await queries.get_history(tx, request.incident, caller(context))
        return incidents_pb2.GetIncidentHistoryResponse(entries=[incident_history_message(row) for row in rows])

    async def ListIncidents(
        self, request: incidents_pb2.ListIncidentsRequest, context: Context
    ) -> incidents_pb2.ListIncidentsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(INCIDENT_LISTING, request), request.page_token)
        async with self._database.transaction("list_incidents") as tx:
            found = await queries.list_incidents(
                tx,
                caller(context),
                state=incident_state_of(request.state),
                region=request.region,
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = (
            PageToken.encode(narrowed(INCIDENT_LISTING, request), page[-1].incident.incident_id)
            if len(found) > size
            else ""
        )
        return incidents_pb2.ListIncidentsResponse(
            incidents=[incident_message(view) for view in page], next_page_token=more
        )

    async def AcknowledgeIncident(
        self, request: incidents_pb2.IncidentStepRequest, context: Context
    ) -> incidents_pb2.Incident:
        return await self._change(commands.acknowledge_incident, request, context)

    async def AnalyseIncident(
        self, request: incidents_pb2.AnalyseIncidentRequest, context: Context
    ) -> incidents_pb2.Incident:
        return await self._change(commands.analyse_incident, request, context)

    async def IsolateIncident(
        self, request: incidents_pb2.IncidentStepRequest, context: Context
    ) -> incidents_pb2.Incident:
        return await self._change(commands.isolate_incident, request, context)

    async def RestoreIncident(
        self, request: incidents_pb2.RestoreIncidentRequest, context: Context
    ) -> incidents_pb2.Incident:
        return await self._change(commands.restore_incident, request, context)

    async def CloseIncident(
        self, request: incidents_pb2.CloseIncidentRequest, context: Context
    ) -> incidents_pb2.Incident:
        return await self._change(commands.close_incident, request, context)

    async def DismissIncident(
        self, request: incidents_pb2.DismissIncidentRequest, context: Context
    ) -> incidents_pb2.Incident:
        return await self._change(commands.dismiss_incident, request, context)

    async def _change(self, use_case: UseCase[Request], request: Request, context: Context) -> incidents_pb2.Incident:
        """Runs the use case in a transaction of its own and shows the incident as it is then."""
        principal = caller(context)

        async def change(tx: UnitOfWork) -> queries.View:
            return (await queries.describe(tx, [await use_case(tx, self._ladder, principal, request)]))[0]

        return incident_message(await self._database.run(use_case.__name__, change))


class AlarmServicer(alarms_pb2_grpc.AlarmServiceServicer):
    def __init__(self, database: Database, standards: Standards, ladder: Ladder) -> None:
        self._database = database
        self._standards = standards
        self._ladder = ladder

    async def ReportAlarm(self, request: alarms_pb2.ReportAlarmRequest, context: Context) -> alarms_pb2.Alarm:
        principal = caller(context)
        alarm = await self._database.run(
            "report_alarm",
            lambda tx: alarms.report_alarm(tx, self._standards, self._ladder, principal, request),
        )
        return alarm_message(alarm)

    async def GetAlarm(self, request: alarms_pb2.GetAlarmRequest, context: Context) -> alarms_pb2.Alarm:
        async with self._database.transaction("get_alarm") as tx:
            return alarm_message(await alarm_queries.get_alarm(tx, UUID(request.alarm_id), caller(context)))

    async def ListAlarms(
        self, request: alarms_pb2.ListAlarmsRequest, context: Context
    ) -> alarms_pb2.ListAlarmsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(ALARM_LISTING, request), request.page_token)
        async with self._database.transaction("list_alarms") as tx:
            found = await alarm_queries.list_alarms(
                tx,
                caller(context),
                region=request.region,
                incident_id=UUID(request.incident_id) if request.incident_id else None,
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(ALARM_LISTING, request), page[-1].alarm_id) if len(found) > size else ""
        return alarms_pb2.ListAlarmsResponse(alarms=[alarm_message(alarm) for alarm in page], next_page_token=more)

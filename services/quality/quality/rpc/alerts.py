"""AlertService (QLT-03)."""

from typing import Any

import grpc.aio
from bihuan.quality.v1 import alerts_pb2 as pb
from bihuan.quality.v1 import alerts_pb2_grpc
from servicekit.database import Database
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from quality.alerts import queries
from quality.rpc.messages import alert_message

DEFAULT_PAGE = 50
LISTING = "quality_alerts"

Context = grpc.aio.ServicerContext[Any, Any]


class AlertServicer(alerts_pb2_grpc.AlertServiceServicer):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def GetAlert(self, request: pb.GetAlertRequest, context: Context) -> pb.Alert:
        async with self._database.transaction("get_alert") as tx:
            return alert_message(await queries.find_alert(tx, request.alert, caller(context)))

    async def ListAlerts(self, request: pb.ListAlertsRequest, context: Context) -> pb.ListAlertsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_alerts") as tx:
            found = await queries.list_alerts(
                tx,
                caller(context),
                only_open=request.only_open,
                indicator=request.indicator,
                region=request.region,
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(LISTING, request), page[-1].alert_id) if len(found) > size else ""
        return pb.ListAlertsResponse(alerts=[alert_message(alert) for alert in page], next_page_token=more)

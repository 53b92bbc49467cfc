"""ReportService (QLT-08)."""

from typing import Any

import grpc.aio
from bihuan.quality.v1 import reports_pb2 as pb
from bihuan.quality.v1 import reports_pb2_grpc
from google.api.httpbody_pb2 import HttpBody
from servicekit.database import Database, UnitOfWork
from servicekit.identity import caller, language
from servicekit.rpc.paging import PageToken, narrowed

from quality.figures.contributions import COUNTRY
from quality.figures.periods import read_period
from quality.reports import commands, queries
from quality.reports.renderings import render_page, render_table
from quality.reports.report import Report
from quality.rpc.messages import report_message
from standards import Standards

DEFAULT_PAGE = 50
LISTING = "quality_reports"

Context = grpc.aio.ServicerContext[Any, Any]


class ReportServicer(reports_pb2_grpc.ReportServiceServicer):
    def __init__(self, database: Database, standards: Standards) -> None:
        self._database = database
        self._standards = standards

    async def MakeReport(self, request: pb.MakeReportRequest, context: Context) -> pb.Report:
        period = read_period(request.period)
        # It is about everywhere.
        caller(context).require_region(COUNTRY)

        async def make(tx: UnitOfWork) -> Report:
            return await commands.make_report(tx, self._standards, period)

        return report_message(await self._database.run("make_report", make), language(context), whole=True)

    async def PublishReport(self, request: pb.PublishReportRequest, context: Context) -> pb.Report:
        principal = caller(context)

        async def publish(tx: UnitOfWork) -> Report:
            return await commands.publish_report(
                tx, request.report, principal, expected_version=request.expected_version
            )

        return report_message(await self._database.run("publish_report", publish), language(context), whole=True)

    async def GetReport(self, request: pb.GetReportRequest, context: Context) -> pb.Report:
        return report_message(await self._find(request, context), language(context), whole=True)

    async def ListReports(self, request: pb.ListReportsRequest, context: Context) -> pb.ListReportsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_reports") as tx:
            found = await queries.list_reports(tx, caller(context), before=key[0] if key else None, limit=size + 1)
        page = found[:size]
        more = PageToken.encode(narrowed(LISTING, request), page[-1].report_id) if len(found) > size else ""
        reports = [report_message(report, language(context), whole=False) for report in page]
        return pb.ListReportsResponse(reports=reports, next_page_token=more)

    async def GetReportPage(self, request: pb.GetReportRequest, context: Context) -> HttpBody:
        page = render_page(await self._find(request, context), self._standards, language(context))
        return HttpBody(content_type="text/html; charset=utf-8", data=page.encode())

    async def GetReportTable(self, request: pb.GetReportRequest, context: Context) -> HttpBody:
        table = render_table(await self._find(request, context), language(context))
        # Spreadsheets take a file without the mark for the system's own code page.
        return HttpBody(content_type="text/csv; charset=utf-8", data=table.encode("utf-8-sig"))

    async def _find(self, request: pb.GetReportRequest, context: Context) -> Report:
        async with self._database.transaction("get_report") as tx:
            return await queries.read_report(tx, request.report, caller(context))
